-- Another path with each request: ids "up" from the first on, or at "random" below it.
-- Or the same path in another head each time ("heads"), so that no two requests are the same bytes.
--   wrk … -s keys.lua URL -- up FIRST PATH    wrk … -s keys.lua URL -- random COUNT PATH    (# in PATH stands for the id)
local how, id, path, last

function init(args)
    how, id, path = args[1], tonumber(args[2]), args[3]
    last = id
    math.randomseed(id)
end

function request()
    if how == "up" then
        id = id + 1
        return wrk.format(nil, (path:gsub("#", id)))
    end
    if how == "heads" then
        id = id + 1
        return wrk.format(nil, path, {Traceparent = string.format("00-%032x-%016x-01", id, id)})
    end
    return wrk.format(nil, (path:gsub("#", math.random(last))))
end

dofile(os.getenv("BENCH_REPORT"))
