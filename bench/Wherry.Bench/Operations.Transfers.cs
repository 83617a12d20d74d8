namespace Wherry.Bench;

/// <summary>Images in and out: by archive, and by a registry on this host.</summary>
public sealed partial class Operations
{
    private const int FiveGigabytes = 10;

    /// <summary>The archive, the content store, unpacked layers, the registry and a saved archive, all at once.</summary>
    private const long RoomForFiveGigabytes = 30L << 30;

    /// <summary>ext4's RECENTCY_MIN, and something: see <see cref="Transfers"/>.</summary>
    private static readonly TimeSpan UntilDeletionsAreForgotten = TimeSpan.FromSeconds(65);

    /// <summary>An image's archive and its files, and some.</summary>
    private const int MegabytesOfTransfer = 1500;

    private void Transfers()
    {
        if (!wanted("load and save"))
        {
            return;
        }

        // Another image each round and nothing removed between: files that were deleted a moment ago make new ones slow on
        // some file systems (ext4 without a journal looks at each of their inodes first).
        var few = Math.Min(rounds, 3);
        var archives = Enumerable.Range(0, few).Select(variant => SampleImage.Ensure(directory, variant: variant)).ToArray();
        var load = new Dictionary<string, List<double>>(StringComparer.Ordinal);
        var save = new Dictionary<string, List<double>>(StringComparer.Ordinal);
        foreach (var (round, contestant) in InTurns(few))
        {
            Settle();
            Add(load, contestant.Name, contestant.Measure("load", "-i", archives[round]).TotalSeconds);
            var target = Path.Combine(directory, "saved.tar");
            Add(save, contestant.Name, contestant.Measure("save", "-o", target, SampleImage.Tagged(round)).TotalSeconds);
            File.Delete(target);
        }

        foreach (var contestant in contestants)
        {
            contestant.Output(["rmi", .. Enumerable.Range(0, few).Select(SampleImage.Tagged)]);
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

        // All pushes, then all pulls, and time between: see Transfers.
        var few = Math.Min(rounds, 3);
        var archives = Enumerable.Range(0, few).Select(variant => SampleImage.Ensure(directory, variant: variant)).ToArray();
        var push = new Dictionary<string, List<double>>(StringComparer.Ordinal);
        var pull = new Dictionary<string, List<double>>(StringComparer.Ordinal);
        var registries = contestants.ToDictionary(contestant => contestant.Name, contestant => LocalRegistry.TryStart(directory, contestant.NetworkOf), StringComparer.Ordinal);
        try
        {
            if (registries.ContainsValue(null))
            {
                Console.Error.WriteLine("docker-registry is not installed: no push, no pull");
                return;
            }

            foreach (var (round, contestant) in InTurns(few))
            {
                contestant.Output("load", "-i", archives[round]);
                var name = NameAt(registries[contestant.Name]!, round);
                contestant.Output("tag", SampleImage.Tagged(round), name);
                Settle();
                Add(push, contestant.Name, contestant.Measure(["push", .. InsecureOption(contestant), name]).TotalSeconds);
                contestant.Output("rmi", "-f", SampleImage.Tagged(round), name);
            }

            Thread.Sleep(UntilDeletionsAreForgotten);
            foreach (var (round, contestant) in InTurns(few))
            {
                Settle();
                Add(pull, contestant.Name, contestant.Measure(["pull", .. InsecureOption(contestant), NameAt(registries[contestant.Name]!, round)]).TotalSeconds);
            }

            foreach (var (round, contestant) in InTurns(few))
            {
                contestant.Output("rmi", NameAt(registries[contestant.Name]!, round));
            }
        }
        finally
        {
            foreach (var registry in registries.Values)
            {
                registry?.Dispose();
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
            if (TryPushAndPull(contestant))
            {
                Add(peak, contestant.Name, contestant.EnginePeakBytes()!.Value / 1e6);
            }
        }

        Record(operation, "MB", 100, peak);
    }

    /// <summary>
    /// Begins with a disk that has nothing to write, or whoever waits for it (we do, for what comes in) waits for another's
    /// work too; and with free memory of which every page has been touched: a virtual machine whose free pages went back to
    /// the host gets each of them anew at its first touch, which can take longer than the copy that touches it.
    /// </summary>
    private void Settle()
    {
        Spawn.Output("sync", ["--file-system", directory], new Dictionary<string, string>());
        var path = Path.Combine(directory, "memory.tmp");
        using (var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            var piece = new byte[1 << 20];
            for (var written = 0; written < MegabytesOfTransfer; written++)
            {
                file.Write(piece);
            }
        }

        File.Delete(path);
    }

    private IEnumerable<(int Round, Contestants.IContestant Contestant)> InTurns(int count) =>
        Enumerable.Range(0, count).SelectMany(round => contestants.Select(contestant => (round, contestant)));

    private static string NameAt(LocalRegistry registry, int variant) => $"127.0.0.1:{registry.Port}/bench/{SampleImage.Tagged(variant)}";

    private static string[] InsecureOption(Contestants.IContestant contestant) => contestant.Name == "podman" ? ["--tls-verify=false"] : [];

    /// <summary>Leaves neither the loaded image nor the pulled one. False where there is no registry to talk to.</summary>
    private bool TryPushAndPull(Contestants.IContestant contestant)
    {
        using var registry = LocalRegistry.TryStart(directory, contestant.NetworkOf);
        if (registry is null)
        {
            Console.Error.WriteLine("docker-registry is not installed: no push, no pull");
            contestant.Output("rmi", "-f", SampleImage.Name);
            return false;
        }

        var name = NameAt(registry, 0);
        contestant.Output("tag", SampleImage.Name, name);
        contestant.Output(["push", .. InsecureOption(contestant), name]);
        contestant.Output("rmi", "-f", SampleImage.Name, name);
        contestant.Output(["pull", .. InsecureOption(contestant), name]);
        contestant.Output("rmi", name);
        return true;
    }
}
