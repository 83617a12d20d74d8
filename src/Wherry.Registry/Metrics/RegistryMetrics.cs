using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Wherry.Registry.Metrics;

/// <summary>What has been counted since the start, in Prometheus' text form (exposition format 0.0.4).</summary>
/// <remarks>Thread-safe. Labels are methods, kinds of routes and statuses: their number is bounded.</remarks>
public sealed class RegistryMetrics
{
    private readonly ConcurrentDictionary<(string Method, string Route, int Status), long> _requests = new();
    private readonly List<(string Name, string Help, bool IsCounter, Func<long> Read)> _values = [];
    private readonly DateTimeOffset _started = DateTimeOffset.UtcNow;
    private long _received;
    private long _sent;
    private long _inFlight;

    public RegistryMetrics()
    {
        Counter("wherry_registry_received_bytes_total", "Bytes of blobs taken in from clients.", () => Interlocked.Read(ref _received));
        Counter("wherry_registry_sent_bytes_total", "Bytes of blobs given out to clients.", () => Interlocked.Read(ref _sent));
        Gauge("wherry_registry_requests_in_flight", "Requests being answered.", () => Interlocked.Read(ref _inFlight));
        Gauge("process_start_time_seconds", "When the process started.", () => _started.ToUnixTimeSeconds());
        Gauge("process_resident_memory_bytes", "Resident memory.", () => Environment.WorkingSet);
    }

    /// <summary>Adds a value that only grows, read when somebody looks.</summary>
    public void Counter(string name, string help, Func<long> read) => _values.Add((name, help, true, read));

    /// <summary>Adds a value that goes up and down, read when somebody looks.</summary>
    public void Gauge(string name, string help, Func<long> read) => _values.Add((name, help, false, read));

    internal void Received(int bytes) => Interlocked.Add(ref _received, bytes);

    internal void Sent(int bytes) => Interlocked.Add(ref _sent, bytes);

    internal void Begun() => Interlocked.Increment(ref _inFlight);

    internal void Ended(string method, string route, int status)
    {
        Interlocked.Decrement(ref _inFlight);
        // A client may invent methods; they must not become labels without end.
        var known = method is "GET" or "HEAD" or "POST" or "PUT" or "PATCH" or "DELETE" ? method : "other";
        _requests.AddOrUpdate((known, route, status), 1, static (_, count) => count + 1);
    }

    internal string Text()
    {
        var text = new StringBuilder("# HELP wherry_registry_requests_total Requests answered.\n# TYPE wherry_registry_requests_total counter\n");
        foreach (var ((method, route, status), count) in _requests.OrderBy(pair => pair.Key))
        {
            text.Append(CultureInfo.InvariantCulture, $"wherry_registry_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}} {count}\n");
        }

        foreach (var (name, help, isCounter, read) in _values)
        {
            text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {(isCounter ? "counter" : "gauge")}\n{name} {read()}\n");
        }

        return text.ToString();
    }
}
