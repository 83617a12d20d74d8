using System.Globalization;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Processes;
using Wherry.Linux.Signals;
using Wherry.Shim.Oci.CommandLine;

namespace Wherry.Shim.Oci.Checkpoints;

/// <summary>
/// Memory that moves after the container goes on elsewhere (<c>--lazy-pages</c>): the checkpoint stays and serves what
/// <c>criu lazy-pages</c>, next to the restore, asks for.
/// </summary>
public static class LazyPages
{
    // CRIU's name for it, in the working directory of both its daemon and its restore.
    private const string SocketName = "lazy-pages.socket";

    // Each restored process makes its own userfaultfd. Where this is zero the kernel wants a capability for that which the
    // root of a user namespace does not have.
    private const string UnprivilegedFaults = "/proc/sys/vm/unprivileged_userfaultfd";

    private static readonly TimeSpan PatienceWithDaemon = TimeSpan.FromSeconds(3);

    /// <summary>Takes the descriptor that is told when pages are served; null when there is none.</summary>
    /// <exception cref="WherryException">The options don't go together, or the descriptor is none that can be written to.</exception>
    public static FileDescriptor? Require(ParsedOptions parsed)
    {
        var isOn = parsed.IsOn("lazy-pages");
        if (isOn && parsed.IsOn("pre-dump"))
        {
            throw WherryException.Invalid("--lazy-pages and --pre-dump exclude each other: one leaves memory where it is, the other writes nothing else");
        }

        if (isOn && CheckpointOptions.PageServer(parsed) is null)
        {
            throw WherryException.Invalid("--lazy-pages needs --page-server ADDRESS:PORT, where memory is then asked for");
        }

        if (parsed.Text("status-fd") is not { Length: > 0 } text || text == "-1")
        {
            return null;
        }

        if (!isOn)
        {
            throw WherryException.Invalid("--status-fd tells when the pages of --lazy-pages are served, and is nothing without that");
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var fd) && FileSyscalls.IsInheritedForWriting(fd)
            ? new FileDescriptor(fd)
            : throw WherryException.Invalid($"invalid --status-fd argument {text}: not a descriptor that was passed and can be written to");
    }

    /// <summary>Has what tells this process to end come out of a descriptor, as CRIU, in a session of its own, is to be ended first; the caller's.</summary>
    public static FileDescriptor TakeSignals()
    {
        var ending = SignalSyscalls.Bit(SignalNumber.Hup) | SignalSyscalls.Bit(SignalNumber.Int) | SignalSyscalls.Bit(SignalNumber.Quit) | SignalSyscalls.Bit(SignalNumber.Term);
        EveryThread.Run(() => SignalSyscalls.SetMask(ending));
        return SignalSyscalls.OpenSignalDescriptor(ending);
    }

    /// <summary>Says that pages are served, as runc does: one byte, zero.</summary>
    public static void TellReady(FileDescriptor status, OciLog log)
    {
        if (FileSyscalls.Write(status.Number, [0]) is < 0 and var error)
        {
            log.Warning($"can't write to --status-fd {status.Number.ToString(CultureInfo.InvariantCulture)}: {new LinuxException("write", -error).Message}");
        }

        status.Dispose();
    }

    /// <summary>For a restore.</summary>
    /// <param name="workPath">CRIU's working directory.</param>
    /// <param name="inUserNamespace">The container is in one, whoever its root is outside.</param>
    /// <exception cref="WherryException">Nobody has the memory, or the kernel does not let the processes wait for it.</exception>
    public static void RequireDaemon(string workPath, bool inUserNamespace)
    {
        if (inUserNamespace && FileSyscalls.TryReadText(UnprivilegedFaults)?.Trim() == "0")
        {
            throw WherryException.Unsupported("--lazy-pages: in a user namespace the kernel has processes wait for memory only with vm.unprivileged_userfaultfd=1 (sysctl)");
        }

        // Its starter may have gone on before it listens.
        var socket = Path.Combine(workPath, SocketName);
        var end = Environment.TickCount64 + (long)PatienceWithDaemon.TotalMilliseconds;
        while (FileStatus.At(null, socket) is not { Type: Linux.Files.FileMode.Socket })
        {
            if (Environment.TickCount64 >= end)
            {
                throw WherryException.NotFound($"--lazy-pages: there is no {socket}: 'criu lazy-pages' has to run with --work-dir (or, without one, --images-dir) {workPath}");
            }

            Thread.Sleep(20);
        }
    }
}
