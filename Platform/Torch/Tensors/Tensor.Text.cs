using System.Globalization;
using System.Text;

namespace Recsys.Torch;

public static partial class torch
{
    public partial class Tensor
    {
        private const int ShownElements = 12;

        /// <summary>Shape, dtype, device and the first elements in row-major order.</summary>
        public override string ToString()
        {
            if (IsInvalid)
            {
                return "[disposed tensor]";
            }

            var text = new StringBuilder($"[{string.Join("x", shape)}], type = {dtype}, device = {device}");
            if (ndim == 0)
            {
                return text.Append(", value = ").Append(ToScalar()).ToString();
            }

            using var scope = NewDisposeScope();
            using var quiet = no_grad();
            var first = reshape(-1).narrow(0, 0, Math.Min(ShownElements, numel()));
            var values = is_integral()
                ? first.to(ScalarType.Int64).data<long>().ToArray().Select(v => v.ToString(CultureInfo.InvariantCulture))
                : first.to(ScalarType.Float64).data<double>().ToArray().Select(v => v.ToString("G5", CultureInfo.InvariantCulture));
            return text.Append(", values = [").AppendJoin(", ", values).Append(numel() > ShownElements ? ", ...]" : "]").ToString();
        }

        public string str() => ToString();
    }
}
