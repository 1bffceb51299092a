-- Tells what came of a run in one line of JSON: bytes with heads, times in microseconds.
function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        'report {"requests": %d, "bytes": %d, "microseconds": %d, "p50": %.1f, "p99": %.1f, "faults": %d}\n',
        summary.requests, summary.bytes, summary.duration, latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
