using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.VectorData;

namespace Recsys.Client.VectorData;

/// <summary>What the attributes of a record type say: which property is the item's id, which its title, which are attributes, which
/// embeddings.</summary>
internal sealed class ItemRecordShape<TRecord>
    where TRecord : class
{
    /// <summary>The storage name of a data property that is the item's title.</summary>
    public const string Title = "title";

    private static readonly Type[] Kinds =
        [typeof(string), typeof(double), typeof(float), typeof(int), typeof(long), typeof(bool), typeof(DateTimeOffset)];

    private readonly Func<TRecord> _make;

    /// <exception cref="ArgumentException">The type lacks a key, or a property is of a type that cannot be kept.</exception>
    public ItemRecordShape()
    {
        var type = typeof(TRecord);
        var empty = type.GetConstructor(Type.EmptyTypes) ?? throw Refused("it needs a constructor without parameters");
        _make = () => (TRecord)empty.Invoke(null);
        var properties = type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property is { CanRead: true, CanWrite: true }).ToArray();
        Key = properties.Where(property => property.IsDefined(typeof(VectorStoreKeyAttribute))).ToArray() is [{ } key]
                && key.PropertyType == typeof(string)
            ? key
            : throw Refused("it needs one property of type string with [VectorStoreKey]: the item's id");
        Data = [.. properties.Select(property => (property, property.GetCustomAttribute<VectorStoreDataAttribute>()))
            .Where(of => of.Item2 is not null).Select(of => (of.property, of.Item2!.StorageName ?? of.property.Name))];
        Vectors = [.. properties.Select(property => (property, property.GetCustomAttribute<VectorStoreVectorAttribute>()))
            .Where(of => of.Item2 is not null)
            .Select(of => new VectorProperty(of.property, of.Item2!.StorageName ?? of.property.Name, of.Item2.Dimensions))];
        if (Data.FirstOrDefault(of => !Kinds.Contains(Plain(of.Property.PropertyType))) is { Property: { } odd })
        {
            throw Refused($"'{odd.Name}' is a {odd.PropertyType.Name}; data may be {string.Join(", ", Kinds.Select(kind => kind.Name))}");
        }

        if (properties.FirstOrDefault(property => property.GetCustomAttribute<VectorStoreVectorAttribute>()?.DistanceFunction
                is not (null or DistanceFunction.EuclideanSquaredDistance)) is { } measured)
        {
            throw Refused($"'{measured.Name}' wants another distance; a search gives {DistanceFunction.EuclideanSquaredDistance}");
        }

        if (Vectors.FirstOrDefault(of => Plain(of.Property.PropertyType) != typeof(ReadOnlyMemory<float>)) is { } other)
        {
            throw Refused($"'{other.Property.Name}' is a {other.Property.PropertyType.Name}; vectors are ReadOnlyMemory<float>");
        }
    }

    public PropertyInfo Key { get; }

    /// <summary>Properties and the names of the attributes, or <see cref="Title"/>.</summary>
    public IReadOnlyList<(PropertyInfo Property, string Name)> Data { get; }

    public IReadOnlyList<VectorProperty> Vectors { get; }

    /// <exception cref="ArgumentException">The record has no id.</exception>
    public V1.ItemUpsert Told(TRecord record)
    {
        string id = (string?)Key.GetValue(record) is { Length: > 0 } text ? text : throw new ArgumentException("A record's key is empty.");
        var item = new V1.ItemUpsert { ItemId = id };
        foreach (var (property, name) in Data)
        {
            string told = Text(property.GetValue(record));
            if (name == Title)
            {
                item.Title = told;
            }
            else
            {
                item.Attributes[name] = told;
            }
        }

        foreach (var vector in Vectors)
        {
            if (vector.Property.GetValue(record) is ReadOnlyMemory<float> { IsEmpty: false } values)
            {
                item.Embeddings[vector.Name] = VectorOf(values);
            }
        }

        return item;
    }

    /// <param name="vectors">By name; null: they were not asked for.</param>
    public TRecord Read(V1.ItemInfo item, IReadOnlyDictionary<string, V1.Vector>? vectors)
    {
        var record = _make();
        Key.SetValue(record, item.ItemId);
        foreach (var (property, name) in Data)
        {
            string? text = name == Title ? item.Title : item.Attributes.GetValueOrDefault(name);
            if (!string.IsNullOrEmpty(text) && Value(text, Plain(property.PropertyType)) is { } value)
            {
                property.SetValue(record, value);
            }
        }

        foreach (var vector in Vectors)
        {
            if (vectors?.GetValueOrDefault(vector.Name) is { } values)
            {
                vector.Property.SetValue(record, new ReadOnlyMemory<float>([.. values.Values]));
            }
        }

        return record;
    }

    public static V1.Vector VectorOf(ReadOnlyMemory<float> values)
    {
        var vector = new V1.Vector();
        vector.Values.AddRange(values.ToArray());
        return vector;
    }

    private static string Text(object? value) => value switch
    {
        null => "",
        DateTimeOffset time => time.ToString("O", CultureInfo.InvariantCulture),
        bool yes => yes ? "true" : "false",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => (string)value,
    };

    private static object? Value(string text, Type type) =>
        type == typeof(string) ? text
        : type == typeof(bool) ? bool.TryParse(text, out bool yes) ? yes : null
        : type == typeof(DateTimeOffset)
            ? DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null
        : type == typeof(int) ? int.TryParse(text, CultureInfo.InvariantCulture, out int whole) ? whole : null
        : type == typeof(long) ? long.TryParse(text, CultureInfo.InvariantCulture, out long large) ? large : null
        : type == typeof(float) ? float.TryParse(text, CultureInfo.InvariantCulture, out float single) ? single : null
        : double.TryParse(text, CultureInfo.InvariantCulture, out double number) ? number : null;

    private static Type Plain(Type type) => Nullable.GetUnderlyingType(type) ?? type;

    private static ArgumentException Refused(string why) => new($"{typeof(TRecord).Name} cannot be a record of items: {why}.");
}

/// <param name="Name">Of the embedding.</param>
/// <param name="Dim">Values that the record type says it has.</param>
internal sealed record VectorProperty(PropertyInfo Property, string Name, int Dim);
