namespace Wherry.Bench;

/// <summary>Images in and out: by archive, and by a registry on this host.</summary>
public sealed partial class Operations
{
    private const int FiveGigabytes = 10;

    /// <summary>The archive, the content store, unpacked layers, the registry and a saved archive, all at once.</summary>
    private const long RoomForFiveGigabytes = 30L << 30;

    private void Transfers()
    {
        if (!wanted("load and save"))
        {
            return;
        }

        var archive = SampleImage.Ensure(directory);
        var few = Math.Min(rounds, 3);
        var load = new Dictionary<string, List<double>>(StringComparer.Ordinal);
        var save = new Dictionary<string, List<double>>(StringComparer.Ordinal);
        for (var round = 0; round < few; round++)
        {
            foreach (var contestant in contestants)
            {
                Add(load, contestant.Name, contestant.Measure("load", "-i", archive).TotalSeconds);
                var target = Path.Combine(directory, "saved.tar");
                Add(save, contestant.Name, contestant.Measure("save", "-o", target, SampleImage.Name).TotalSeconds);
                File.Delete(target);
                contestant.Output("rmi", SampleImage.Name);
            }
        }

        Record("load of a 520 MB, 4-layer archive", "s", 1.5, load);
        Record("save of the same", "s", 1.0, save);
    }

    /// <summary>Push to an empty registry on this host, and pull back what was pushed.</summary>
    private void Registries()
    {
        if (!wanted("push and pull"))
        {
            return;
        }

        var archive = SampleImage.Ensure(directory);
        var push = new Dictionary<string, List<double>>(StringComparer.Ordinal);
        var pull = new Dictionary<string, List<double>>(StringComparer.Ordinal);
        for (var round = 0; round < Math.Min(rounds, 3); round++)
        {
            foreach (var contestant in contestants)
            {
                contestant.Output("load", "-i", archive);
                if (!TryPushAndPull(contestant, push, pull))
                {
                    return;
                }
            }
        }

        Record("push of a 520 MB, 4-layer image", "s", 2.5, push);
        Record("pull of the same", "s", 1.8, pull);
    }

    /// <summary>Memory while an image goes all four ways; with ten times the size it must not be more.</summary>
    private void Moving()
    {
        if (wanted("engine memory, peak moving 520 MB"))
        {
            Moving("engine memory, peak moving 520 MB", SampleImage.Ensure(directory), contestants);
        }

        if (!wanted("engine memory, peak moving 5 GB"))
        {
            return;
        }

        var free = new DriveInfo(directory).AvailableFreeSpace;
        if (free < RoomForFiveGigabytes)
        {
            Console.Error.WriteLine($"only {free >> 30} GB are free where {RoomForFiveGigabytes >> 30} are needed: no image of 5 GB is moved");
            return;
        }

        var archive = SampleImage.Ensure(directory, FiveGigabytes);
        Moving("engine memory, peak moving 5 GB", archive, [Get("wherry")]); // others take minutes, and promise nothing
        File.Delete(archive);
    }

    private void Moving(string operation, string archive, IReadOnlyList<Contestants.IContestant> movers)
    {
        Console.Error.WriteLine(operation);
        var peak = new Dictionary<string, List<double>>(StringComparer.Ordinal);
        foreach (var contestant in movers.Where(contestant => contestant.EnginePeakBytes() is not null))
        {
            var target = Path.Combine(directory, "saved.tar");
            contestant.ForgetPeak();
            contestant.Output("load", "-i", archive);
            contestant.Output("save", "-o", target, SampleImage.Name);
            File.Delete(target);
            if (TryPushAndPull(contestant, [], []))
            {
                Add(peak, contestant.Name, contestant.EnginePeakBytes()!.Value / 1e6);
            }
        }

        Record(operation, "MB", 100, peak);
    }

    /// <summary>Leaves neither the loaded image nor the pulled one. False where there is no registry to talk to.</summary>
    private bool TryPushAndPull(Contestants.IContestant contestant, Dictionary<string, List<double>> push, Dictionary<string, List<double>> pull)
    {
        using var registry = LocalRegistry.TryStart(directory, contestant.NetworkOf);
        if (registry is null)
        {
            Console.Error.WriteLine("docker-registry is not installed: no push, no pull");
            contestant.Output("rmi", "-f", SampleImage.Name);
            return false;
        }

        var name = $"127.0.0.1:{registry.Port}/bench/{SampleImage.Name}:latest";
        string[] insecure = contestant.Name == "podman" ? ["--tls-verify=false"] : [];
        contestant.Output("tag", SampleImage.Name, name);
        Add(push, contestant.Name, contestant.Measure(["push", .. insecure, name]).TotalSeconds);
        contestant.Output("rmi", "-f", SampleImage.Name, name);
        Add(pull, contestant.Name, contestant.Measure(["pull", .. insecure, name]).TotalSeconds);
        contestant.Output("rmi", name);
        return true;
    }
}
