namespace Recsys.Torch;

/// <summary>How the ranks' values become one.</summary>
public enum ReduceOp
{
    SUM = 0,

    /// <summary>The sum divided by the number of ranks.</summary>
    AVG = 1,

    PRODUCT = 2,

    MIN = 3,

    MAX = 4,
}
