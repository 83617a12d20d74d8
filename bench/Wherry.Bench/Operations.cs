using System.Globalization;
using Wherry.Bench.Contestants;

namespace Wherry.Bench;

/// <summary>What is measured. Contestants take turns, run by run, so that the host's moods hit all alike.</summary>
public sealed partial class Operations(IReadOnlyList<IContestant> contestants, BareRuntimes runtimes, string directory, int rounds, Func<string, bool> wanted)
{
    private readonly List<Measurement> _measurements = [];
    private int _port = 20000;

    public IReadOnlyList<Measurement> Run()
    {
        Small();
        Crowd();
        Transfers();
        Registries();
        Moving();
        Logs();
        return _measurements;
    }

    private void Small()
    {
        Alternate("OCI bundle alone, /bin/true", "ms", 7, runtimes.Names, name => runtimes.Measure(name).TotalMilliseconds);
        Alternate("a bundle's default seccomp filter", "ms", 1, runtimes.Names, name => runtimes.MeasureFilter(name).TotalMilliseconds);
        Alternate("OCI create, start, delete", "ms", null, runtimes.Names, name => runtimes.MeasureInSteps(name).TotalMilliseconds);
        Alternate("run --rm busybox true, no network", "ms", 15, Names(), name =>
            Get(name).Measure("run", "--rm", "--network", "none", "busybox", "true").TotalMilliseconds);
        Alternate("run --rm busybox true, bridge", "ms", 25, Names(bridge: true), name =>
            Get(name).Measure("run", "--rm", "busybox", "true").TotalMilliseconds);
        Alternate("run -d with a published port", "ms", 30, Names(bridge: true), name =>
        {
            var port = (_port++).ToString(CultureInfo.InvariantCulture);
            var elapsed = Get(name).Measure("run", "-d", "--name", "with-port", "-p", $"127.0.0.1:{port}:80", "busybox", "sleep", "1000");
            Get(name).Output("rm", "-f", "with-port");
            return elapsed.TotalMilliseconds;
        });
        if (wanted("exec CONTAINER true"))
        {
            Each(contestant => contestant.Output("run", "-d", "--name", "for-exec", "--network", "none", "busybox", "sleep", "1000"));
            Alternate("exec CONTAINER true", "ms", 6, Names(), name => Get(name).Measure("exec", "for-exec", "true").TotalMilliseconds);
            Each(contestant => contestant.Output("rm", "-f", "for-exec"));
        }

        Alternate("ps with no container", "ms", 4, Names(), name => Get(name).Measure("ps").TotalMilliseconds);
        if (!wanted("engine memory, idle"))
        {
            return;
        }

        Rest();
        Single("engine memory, idle", "MB", 40, Names(), name => Get(name).EngineResidentBytes() / 1e6);
    }

    /// <summary>A hundred containers in a row, and what they cost.</summary>
    private void Crowd()
    {
        if (!wanted("100 containers"))
        {
            return;
        }

        Single("start 100 containers in a row, bridge", "s", 2.5, Names(bridge: true), name =>
            Enumerable.Range(0, 100).Sum(number => Get(name).Measure("run", "-d", "--name", $"crowd-{number}", "busybox", "sleep", "1000").TotalSeconds));
        Alternate("ps with 100 containers", "ms", 8, Names(bridge: true), name => Get(name).Measure("ps").TotalMilliseconds);
        Rest();
        Single("engine memory, 100 containers", "MB", 40, Names(bridge: true), name => Get(name).EngineResidentBytes() / 1e6);
        Single("supervisor, private memory (median)", "kB", 1200, Names(bridge: true), name =>
            Get(name).SupervisorPrivateBytes() is { Count: > 0 } bytes ? Median(bytes.Select(value => value / 1e3)) : null);
        Single("rm -f of 100 running containers", "s", 1, Names(bridge: true), name =>
            Get(name).Measure(["rm", "-f", .. Enumerable.Range(0, 100).Select(number => $"crowd-{number}")]).TotalSeconds);
    }

    private void Logs()
    {
        if (!wanted("million log lines"))
        {
            return;
        }

        const string program = "yes 0123456789012345678901234567890123456789012345678901234567890 | head -n 1000000";
        Single("one million log lines, start to exit", "s", 0.9, Names(), name =>
            Get(name).Measure("run", "--name", "chatty", "--network", "none", "-d", "busybox", "sh", "-c", program).TotalSeconds + Get(name).Measure("wait", "chatty").TotalSeconds);
        Single("reading them back", "s", 0.8, Names(), name => Get(name).Measure("logs", "chatty").TotalSeconds);
        Each(contestant => contestant.Output("rm", "-f", "chatty"));
    }

    /// <summary>Idle is idle: collectors and caches get the time to notice.</summary>
    private static void Rest() => Thread.Sleep(TimeSpan.FromSeconds(25));

    private string[] Names(bool bridge = false) => contestants.Where(contestant => !bridge || contestant.HasBridge).Select(contestant => contestant.Name).ToArray();

    private IContestant Get(string name) => contestants.First(contestant => contestant.Name == name);

    private void Each(Action<IContestant> action)
    {
        foreach (var contestant in contestants)
        {
            action(contestant);
        }
    }

    private void Alternate(string operation, string unit, double? target, IReadOnlyList<string> names, Func<string, double> measure)
    {
        if (!wanted(operation))
        {
            return;
        }

        Console.Error.WriteLine(operation);
        var values = new Dictionary<string, List<double>>(StringComparer.Ordinal);
        foreach (var name in names)
        {
            measure(name); // warms caches, counts for nobody
        }

        for (var round = 0; round < rounds; round++)
        {
            foreach (var name in names)
            {
                Add(values, name, measure(name));
            }
        }

        Record(operation, unit, target, values);
    }

    private void Single(string operation, string unit, double? target, IReadOnlyList<string> names, Func<string, double?> measure)
    {
        Console.Error.WriteLine(operation);
        var values = new Dictionary<string, List<double>>(StringComparer.Ordinal);
        foreach (var name in names)
        {
            if (measure(name) is { } value)
            {
                Add(values, name, value);
            }
        }

        Record(operation, unit, target, values);
    }

    private void Record(string operation, string unit, double? target, Dictionary<string, List<double>> values) =>
        _measurements.Add(new Measurement(operation, unit, target, values.ToDictionary(pair => pair.Key, pair => Median(pair.Value), StringComparer.Ordinal)));

    private static void Add(Dictionary<string, List<double>> values, string name, double value)
    {
        if (!values.TryGetValue(name, out var list))
        {
            values[name] = list = [];
        }

        list.Add(value);
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
