using System.Globalization;

namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>
/// A number nobody else on this host uses at the moment, from which a private engine's bridge, subnet,
/// directories and cgroup are named. Held by a lock file, so that runs side by side don't meet and a crashed
/// run frees its numbers.
/// </summary>
public sealed class EngineSlot : IDisposable
{
    private static readonly string LockDirectory = "/run/lock/wherry-e2e";

    private readonly FileStream _lock;

    private EngineSlot(int number, FileStream held)
    {
        Number = number;
        _lock = held;
    }

    public int Number { get; }

    private string Name => string.Create(CultureInfo.InvariantCulture, $"{Number}");

    public string Bridge => $"whtest{Name}";

    public string Table => $"wherry_{Bridge}";

    /// <summary>The bridge's own address with its prefix length; 198.18.0.0/15 is set aside for tests (RFC 2544).</summary>
    public string BridgeAddress => $"198.18.{Name}.1/24";

    public string Gateway => $"198.18.{Name}.1";

    public string CgroupParent => $"whtest{Name}";

    public string ExecRoot => $"/run/wherry-e2e/{Name}";

    public string DataRoot => Path.Combine(Environment.GetEnvironmentVariable("WHERRY_E2E_ROOT") ?? "/var/tmp/wherry-e2e", Name);

    public static EngineSlot Take()
    {
        Directory.CreateDirectory(LockDirectory);
        for (var number = 1; number < 250; number++)
        {
            try
            {
                var path = Path.Combine(LockDirectory, string.Create(CultureInfo.InvariantCulture, $"{number}"));
                return new EngineSlot(number, new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (IOException)
            {
                // Somebody holds this one.
            }
        }

        throw new InvalidOperationException($"all numbers in {LockDirectory} are taken");
    }

    public void Dispose() => _lock.Dispose();
}
