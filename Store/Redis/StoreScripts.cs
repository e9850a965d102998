namespace Recsys.Store.Redis;

/// <summary>The Lua scripts; each runs atomically, and all keys of a call lie in one slot.</summary>
internal static class StoreScripts
{
    /// <summary>
    /// KEYS layout, published, codes and next of a build before; ARGV the layout. Makes way for a table: one of a build before is
    /// removed, its marker with it, so that such a build assigns nothing from here on. Returns {the layout that is there now, whether
    /// it did}.
    /// </summary>
    public const string Begin = """
        local former = redis.call('TYPE', KEYS[1]).ok == 'hash'
        if former then
          redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
        end
        redis.call('SETNX', KEYS[1], ARGV[1])
        return {redis.call('GET', KEYS[1]), former and 1 or 0}
        """;

    /// <summary>KEYS layout. The layout; nothing where there is none, or the table of a build before.</summary>
    public const string Layout = "return redis.call('TYPE', KEYS[1]).ok == 'string' and redis.call('GET', KEYS[1])";

    /// <summary>
    /// KEYS stream, then per item its hash and its sorted set; ARGV how many of an item, then per item: item, id, member and, for the
    /// stream, title and vector. Merges a batch into what is there. Returns the item that has another ID already, if any, and has
    /// then written nothing.
    /// </summary>
    public const string Merge = """
        local stride, have = tonumber(ARGV[1]), {}
        for j = 0, (#KEYS - 3) / 2 do
          local item = ARGV[2 + j * stride]
          have[j] = redis.call('HGET', KEYS[2 + 2 * j], item)
          if have[j] and have[j] ~= ARGV[3 + j * stride] then
            return item
          end
        end
        for j = 0, (#KEYS - 3) / 2 do
          local at = 2 + j * stride
          redis.call('ZADD', KEYS[3 + 2 * j], 0, ARGV[at + 2])
          if not have[j] then
            redis.call('HSET', KEYS[2 + 2 * j], ARGV[at], ARGV[at + 1])
            if stride == 5 then
              redis.call('XADD', KEYS[1], '*', 'item', ARGV[at], 'id', ARGV[at + 1], 'title', ARGV[at + 3], 'vector', ARGV[at + 4])
            end
          end
        end
        return false
        """;

    /// <summary>KEYS the item's hash, the codes' sorted set, appended, published, layout; ARGV item, codes, the codes as members begin with
    /// them, title, vector, the layout by which the keys were chosen. Returns {id, outcome}. The token is one more than the largest
    /// that these codes have.</summary>
    public const string Assign = """
        if redis.call('EXISTS', KEYS[4]) == 0 or redis.call('GET', KEYS[5]) ~= ARGV[6] then
          return {'', 2}
        end
        local id = redis.call('HGET', KEYS[1], ARGV[1])
        if id then
          return {id, 1}
        end
        local last = redis.call('ZREVRANGEBYLEX', KEYS[2], '(' .. ARGV[3] .. '~', '[' .. ARGV[3] .. '#', 'LIMIT', 0, 1)[1]
        local token = last and tonumber(string.sub(last, #ARGV[3] + 2, #ARGV[3] + 5), 16) + 1 or 0
        if token > 65535 then
          return {'', 3}
        end
        id = ARGV[2] .. '#' .. token
        redis.call('HSET', KEYS[1], ARGV[1], id)
        redis.call('ZADD', KEYS[2], 0, ARGV[3] .. string.format('#%04x ', token) .. ARGV[1])
        redis.call('XADD', KEYS[3], '*', 'item', ARGV[1], 'id', id, 'title', ARGV[4], 'vector', ARGV[5])
        return {id, 0}
        """;

    /// <summary>KEYS sorted sets in order; ARGV where members begin, what they are below, how many. The first members of all.</summary>
    public const string Items = """
        local found, limit = {}, tonumber(ARGV[3])
        for _, key in ipairs(KEYS) do
          for _, member in ipairs(redis.call('ZRANGEBYLEX', key, ARGV[1], ARGV[2], 'LIMIT', 0, limit - #found)) do
            found[#found + 1] = member
          end
          if #found >= limit then
            break
          end
        end
        return found
        """;

    /// <summary>KEYS; ARGV a command of one word or two that says of a key how large it is. Their sum.</summary>
    public const string Sum = """
        local sum, command = 0, {unpack(ARGV)}
        for _, key in ipairs(KEYS) do
          command[#ARGV + 1] = key
          sum = sum + (redis.call(unpack(command)) or 0)
        end
        return sum
        """;

    /// <summary>
    /// KEYS values, changes; ARGV changes that are remembered, then per value: field, time, value. Keeps of each field the latest and
    /// returns how many were. Times are texts of equal length.
    /// </summary>
    public const string Live = """
        local written = 0
        for i = 2, #ARGV, 3 do
          local have = redis.call('HGET', KEYS[1], ARGV[i])
          if not have or string.sub(have, 1, #ARGV[i + 1]) < ARGV[i + 1] then
            local value = ARGV[i + 1] .. ARGV[i + 2]
            redis.call('HSET', KEYS[1], ARGV[i], value)
            redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], '*', 'field', ARGV[i], 'value', value)
            written = written + 1
          end
        end
        return written
        """;

    /// <summary>
    /// KEYS stream, then the list of the user of each interaction, oldest first; ARGV entries that the stream and a list remember, seconds
    /// for which a list does, the time before which all is late, whether they are told again, then per interaction: user, item,
    /// time, when it was told. Returns how many were new, known and late. Times are texts of equal length.
    /// </summary>
    public const string Events = """
        local new, known, late = 0, 0, 0
        for i = 2, #KEYS do
          local at = 6 + (i - 2) * 4
          local time, width = ARGV[at + 2], #ARGV[at + 2]
          local entry, before, twice, last = time .. ARGV[at + 1], {}, false, ''
          for _, one in ipairs(redis.call('LRANGE', KEYS[i], 0, -1)) do
            twice = twice or one == entry
            before[#before + 1], last = string.sub(one, width + 1), string.sub(one, 1, width)
          end
          if twice then
            known = known + 1
          elseif time < last or time < ARGV[4] then
            late = late + 1
          else
            redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'user', ARGV[at], 'item', ARGV[at + 1], 'time', time,
              'noted', ARGV[at + 3], 'again', ARGV[5], 'before', table.concat(before, '\t'))
            redis.call('RPUSH', KEYS[i], entry)
            redis.call('LTRIM', KEYS[i], -tonumber(ARGV[2]), -1)
            redis.call('EXPIRE', KEYS[i], ARGV[3])
            new = new + 1
          end
        end
        return {new, known, late}
        """;

    /// <summary>
    /// KEYS active; ARGV expected (empty: none), next. 1: next is active now, or was already, as after a lost reply; 0: another is.
    /// </summary>
    public const string Activate = """
        local active = redis.call('GET', KEYS[1]) or ''
        if active == ARGV[1] then
          redis.call('SET', KEYS[1], ARGV[2])
          return 1
        end
        return active == ARGV[2] and 1 or 0
        """;
}
