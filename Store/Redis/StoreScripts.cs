namespace Recsys.Store.Redis;

/// <summary>The Lua scripts; each runs atomically, and all keys of a call lie in one slot.</summary>
internal static class StoreScripts
{
    /// <summary>
    /// KEYS ids, codes, next and, for appended items, their stream; ARGV per item: item, id, member and, for the stream, title and vector.
    /// Merges a batch into what is there, with five commands whatever its size. Returns the item that has another ID already, if
    /// any, and has then written nothing.
    /// </summary>
    public const string Merge = """
        local stride = #KEYS == 4 and 5 or 3
        local items, fields, members, new, order, top = {}, {}, {}, {}, {}, {}
        for i = 1, #ARGV, stride do
          items[#items + 1] = ARGV[i]
        end
        local have = redis.call('HMGET', KEYS[1], unpack(items))
        for j, item in ipairs(items) do
          local at = (j - 1) * stride
          local id = ARGV[at + 2]
          if have[j] and have[j] ~= id then
            return item
          end
          if not have[j] then
            fields[#fields + 1], fields[#fields + 2] = item, id
            new[#new + 1] = at
          end
          members[#members + 1], members[#members + 2] = 0, ARGV[at + 3]
          local codes, token = string.match(id, '^(.*)#(%d+)$')
          if not top[codes] then
            order[#order + 1] = codes
          end
          top[codes] = math.max(top[codes] or 0, tonumber(token) + 1)
        end
        if #fields > 0 then
          redis.call('HSET', KEYS[1], unpack(fields))
        end
        redis.call('ZADD', KEYS[2], unpack(members))
        local known, raised = redis.call('HMGET', KEYS[3], unpack(order)), {}
        for j, codes in ipairs(order) do
          if top[codes] > tonumber(known[j] or '0') then
            raised[#raised + 1], raised[#raised + 2] = codes, top[codes]
          end
        end
        if #raised > 0 then
          redis.call('HSET', KEYS[3], unpack(raised))
        end
        if KEYS[4] then
          for _, at in ipairs(new) do
            redis.call('XADD', KEYS[4], '*', 'item', ARGV[at + 1], 'id', ARGV[at + 2], 'title', ARGV[at + 4], 'vector', ARGV[at + 5])
          end
        end
        return false
        """;

    /// <summary>KEYS ids, codes, next, appended, published; ARGV item, codes, codes in hexadecimal, title, vector. Returns {id,
    /// outcome}.</summary>
    public const string Assign = """
        local id = redis.call('HGET', KEYS[1], ARGV[1])
        if id then
          return {id, 1}
        end
        if redis.call('EXISTS', KEYS[5]) == 0 then
          return {'', 2}
        end
        local token = tonumber(redis.call('HGET', KEYS[3], ARGV[2]) or '0')
        if token > 65535 then
          return {'', 3}
        end
        id = ARGV[2] .. '#' .. token
        redis.call('HSET', KEYS[1], ARGV[1], id)
        redis.call('ZADD', KEYS[2], 0, ARGV[3] .. string.format('#%04x ', token) .. ARGV[1])
        redis.call('HSET', KEYS[3], ARGV[2], token + 1)
        redis.call('XADD', KEYS[4], '*', 'item', ARGV[1], 'id', id, 'title', ARGV[4], 'vector', ARGV[5])
        return {id, 0}
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
