namespace Recsys.Store;

/// <summary>The Lua scripts; each runs atomically, and all keys of a call lie in one slot.</summary>
internal static class StoreScripts
{
    /// <summary>KEYS ids, codes, next; ARGV per item: item, id, member. Returns the item that has another ID already, if any.</summary>
    public const string Publish = """
        for i = 1, #ARGV, 3 do
          local item, id = ARGV[i], ARGV[i + 1]
          if redis.call('HSETNX', KEYS[1], item, id) == 0 and redis.call('HGET', KEYS[1], item) ~= id then
            return item
          end
          redis.call('ZADD', KEYS[2], 0, ARGV[i + 2])
          local codes, token = string.match(id, '^(.*)#(%d+)$')
          if tonumber(token) >= tonumber(redis.call('HGET', KEYS[3], codes) or '0') then
            redis.call('HSET', KEYS[3], codes, tonumber(token) + 1)
          end
        end
        return false
        """;

    /// <summary>KEYS ids, codes, next, appended; ARGV per item: item, id, member, title. As above, and puts new items on the stream.</summary>
    public const string Restore = """
        for i = 1, #ARGV, 4 do
          local item, id = ARGV[i], ARGV[i + 1]
          local isNew = redis.call('HSETNX', KEYS[1], item, id) == 1
          if not isNew and redis.call('HGET', KEYS[1], item) ~= id then
            return item
          end
          redis.call('ZADD', KEYS[2], 0, ARGV[i + 2])
          local codes, token = string.match(id, '^(.*)#(%d+)$')
          if tonumber(token) >= tonumber(redis.call('HGET', KEYS[3], codes) or '0') then
            redis.call('HSET', KEYS[3], codes, tonumber(token) + 1)
          end
          if isNew then
            redis.call('XADD', KEYS[4], '*', 'item', item, 'id', id, 'title', ARGV[i + 3])
          end
        end
        return false
        """;

    /// <summary>KEYS ids, codes, next, appended, published; ARGV item, codes, codes in hexadecimal, title. Returns {id, outcome}.</summary>
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
        redis.call('XADD', KEYS[4], '*', 'item', ARGV[1], 'id', id, 'title', ARGV[4])
        return {id, 0}
        """;

    /// <summary>KEYS active; ARGV expected (empty: none), next. 1: swapped; 2: next was active already; 0: another is.</summary>
    public const string Activate = """
        local active = redis.call('GET', KEYS[1]) or ''
        if active == ARGV[1] then
          redis.call('SET', KEYS[1], ARGV[2])
          return 1
        end
        return active == ARGV[2] and 2 or 0
        """;
}
