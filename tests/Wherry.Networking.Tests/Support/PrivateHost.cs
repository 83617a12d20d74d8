using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Wherry.Linux.Netlink;

namespace Wherry.Networking.Tests.Support;

/// <summary>
/// The whole test process is a host of its own: before anything runs it moves into a new network namespace and executes
/// itself again, so that no thread is left on the real host. Nothing the tests do can be seen or left there. Without root
/// the process stays where it is and <see cref="Require"/> skips.
/// </summary>
internal static partial class PrivateHost
{
    private const string Marker = "WHERRY_TESTS_PRIVATE_NETWORK";
    private const int CLONE_NEWNET = 0x40000000;

    public static void Require() =>
        Assert.SkipUnless(Environment.GetEnvironmentVariable(Marker) == "1", "needs root, to make network namespaces");

    [ModuleInitializer]
    internal static void Enter()
    {
        if (Environment.GetEnvironmentVariable(Marker) == "1")
        {
            using var route = NetlinkSocket.Open(NetlinkSocket.Route);
            var batch = new NetlinkBatch();
            Links.SetUp(batch, Links.LoopbackIndex, "lo");
            route.Execute(batch);
            return;
        }

        if (!Environment.IsPrivilegedProcess || Unshare(CLONE_NEWNET) != 0)
        {
            return;
        }

        var arguments = File.ReadAllText("/proc/self/cmdline").TrimEnd('\0').Split('\0');
        var environment = File.ReadAllText("/proc/self/environ").TrimEnd('\0').Split('\0').Append(Marker + "=1").ToArray();
        // SAFETY: replaces the process, or returns with an error and changes nothing; the arrays end with null.
        _ = Execute(File.ResolveLinkTarget("/proc/self/exe", returnFinalTarget: true)!.FullName, [.. arguments, null], [.. environment, null]);
        throw new InvalidOperationException($"execve: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    internal static partial int Unshare(int flags);

    [LibraryImport("libc", EntryPoint = "execve", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string path, string?[] arguments, string?[] environment);
}
