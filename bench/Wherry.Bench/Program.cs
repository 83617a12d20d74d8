using System.Globalization;
using Wherry.Bench;
using Wherry.Bench.Contestants;

// usage: Wherry.Bench --out DIRECTORY [--rounds N] [--only TEXT]... [--alone]
var outDirectory = "out";
var rounds = 21;
var only = new List<string>();
var alone = false;
for (var i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--out":
            outDirectory = Path.GetFullPath(args[++i]);
            break;
        case "--rounds":
            rounds = int.Parse(args[++i], CultureInfo.InvariantCulture);
            break;
        case "--only":
            only.Add(args[++i]);
            break;
        case "--alone":
            alone = true;
            break;
        default:
            Console.Error.WriteLine($"unknown option {args[i]}");
            return 2;
    }
}

var directory = Path.Combine("/var/tmp", "wherry-bench");
Directory.CreateDirectory(directory);
var contestants = new List<IContestant>();
try
{
    var wherry = new WherryContestant(outDirectory, directory);
    contestants.Add(wherry);
    if (!alone)
    {
        contestants.AddRange(new IContestant?[] { DockerContestant.TryStart(directory), PodmanContestant.TryStart(directory) }.OfType<IContestant>());
    }

    // The very same image for everybody.
    wherry.Output("image", "bootstrap", "busybox");
    var image = Path.Combine(directory, "busybox.tar");
    wherry.Output("save", "-o", image, "busybox");
    foreach (var peer in contestants.Skip(1).ToArray())
    {
        try
        {
            peer.Output("load", "-i", image);
            peer.Output("run", "--rm", "--network", "none", "busybox", "true");
        }
        catch (InvalidOperationException e)
        {
            Console.Error.WriteLine($"{peer.Name} is installed but runs no container here: {e.Message}");
            contestants.Remove(peer);
            peer.Dispose();
        }
    }

    using var runtimes = new BareRuntimes(directory, Path.Combine(outDirectory, "wherry-oci"), wherry.DefaultFilter());
    var measurements = new Operations(contestants, runtimes, Path.Combine(outDirectory, "cache"), rounds, Wanted).Run();

    Console.WriteLine();
    Console.WriteLine(string.Join(", ", contestants.Select(contestant => contestant.Description).Concat(runtimes.Names.Skip(1)).Distinct(StringComparer.Ordinal)) + string.Create(CultureInfo.InvariantCulture, $"; medians of {rounds} rounds, taken in turns"));
    Report.Print(measurements, Console.Out);
    var json = Path.Combine(outDirectory, "bench.json");
    Report.Write(json, contestants.Select(contestant => contestant.Description).ToArray(), measurements);
    Console.WriteLine($"written to {json}");
    return 0;
}
finally
{
    foreach (var contestant in contestants)
    {
        contestant.Dispose();
    }

    Directory.Delete(directory, recursive: true);
}

bool Wanted(string operation) => only.Count == 0 || only.Exists(text => operation.Contains(text, StringComparison.OrdinalIgnoreCase));
