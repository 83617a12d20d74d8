using System.Globalization;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Processes;
using Wherry.Linux.Signals;
using Wherry.Linux.Terminals;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Bundles;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Contracts.Protocol;
using Wherry.Runtime.Programs;
using Wherry.Runtime.Seccomp;
using Wherry.Runtime.Stages;
using Wherry.Runtime.Systemd;
using Wherry.Shim.Oci.CommandLine;
using Wherry.Shim.Oci.Containers;

namespace Wherry.Shim.Oci.Commands;

/// <summary><c>exec</c>: a further program in a running container.</summary>
public sealed class ExecCommand : ICommand
{
    private const int FailureExitCode = 255;
    private const int LargestProcessFile = 16 * 1024 * 1024;

    public OptionTable Options => new(
        "exec [options] ID COMMAND [argument...]  |  exec [options] --process FILE ID",
        "console-socket= Unix socket that is sent the terminal's master",
        "cwd= The program's working directory",
        "env,e=* A variable for its environment, NAME=value",
        "tty,t Give it a terminal",
        "user,u= UID[:GID]",
        "additional-gids,g=* Further groups",
        "process,p= File that describes the program (runtime-spec's process)",
        "detach,d End when the program runs",
        CreateOptions.PidfdSocketOption,
        "pid-file= File to write the program's process id to",
        "process-label= SELinux label",
        "apparmor= AppArmor profile",
        "no-new-privs Forbid it new privileges",
        "cap,c=* A capability to give it",
        "preserve-fds= How many further descriptors (from 3 on) the program inherits",
        "ignore-paused Run it even in a paused container, where it waits for resume",
        "no-subreaper Don't become the parent of the container's orphans",
        "cgroup=* A cgroup below the container's to run it in; CONTROLLER[,CONTROLLER]:PATH for that of some v1 controllers")
    {
        OperandsEndOptions = true,
    };

    public int Run(GlobalOptions global, ParsedOptions parsed)
    {
        parsed.RequireOperands("exec", 1, int.MaxValue);
        try
        {
            return RunProgram(global, parsed);
        }
        catch (SandboxStartException e)
        {
            throw new CommandFailure($"exec failed: unable to start container process: {e.Message}", FailureExitCode, e);
        }
        catch (WherryException e)
        {
            throw new CommandFailure($"exec failed: {e.Message}", FailureExitCode, e);
        }
    }

    private static int RunProgram(GlobalOptions global, ParsedOptions parsed)
    {
        OwnExecutable.Become();
        using var container = Container.Open(global.Root, parsed.Operands[0]);
        RequireRunning(container, parsed.IsOn("ignore-paused"));
        var process = ProcessOf(container, parsed);
        var detach = parsed.IsOn("detach");
        var options = new CreateOptions
        {
            Id = container.State.Id,
            Bundle = container.State.Bundle,
            Detach = detach,
            ConsoleSocket = CreateOptions.FullPath(parsed, "console-socket"),
        };
        options.RequireConsoleFor(process.Terminal);
        if (!detach)
        {
            Foreground.TakeSignals();
        }

        // The child that enters the container shares our memory until it is the program.
        ProcessSyscalls.SetDumpable(false);
        var pid = Start(container, process, options, InheritedDescriptors.Find(CreateOptions.Preserved(parsed)), parsed.Texts("cgroup"), out var master);
        using (master)
        {
            try
            {
                DescriptorSocket.SendProcess(CreateOptions.FullPath(parsed, "pidfd-socket"), pid);
                PidFile.Write(CreateOptions.FullPath(parsed, "pid-file"), pid);
            }
            catch
            {
                ProcessSyscalls.Kill(pid, SignalNumber.Kill);
                throw;
            }

            if (detach)
            {
                return 0;
            }

            using var foreground = new Foreground(pid, master);
            return foreground.Serve();
        }
    }

    private static void RequireRunning(Container container, bool ignorePaused)
    {
        switch (container.Status())
        {
            case ContainerStatus.Stopped or ContainerStatus.Creating:
                throw WherryException.Conflict("cannot exec in a stopped container");
            case ContainerStatus.Paused when !ignorePaused:
                throw WherryException.Conflict("cannot exec in a paused container (use --ignore-paused to override)");
        }
    }

    private static int Start(Container container, Process process, CreateOptions options, InheritedDescriptors inherited, IReadOnlyList<string> subgroups, out FileDescriptor? master)
    {
        using var first = container.TryOpenProcess() ?? throw WherryException.Conflict("cannot exec in a stopped container");
        var launcher = new ExecLauncher(container.State.Pid, NamespaceKinds.All(container.State.Namespaces))
        {
            Target = first,
            ProgramsOutliveMaker = true,
            PreservedDescriptors = inherited.Count,
            FollowsFirstProcess = subgroups.Count == 0,
        };
        using var rules = ContainerRules.Read(container.State.Bundle, container.State.Id, $"{container.Directory.Path}/{StateDirectory.FilterFile}");
        using var root = launcher.OpenRoot();
        if (!ProcessSyscalls.Kill(first, 0))
        {
            // The root was opened by an id that may have become a stranger's.
            throw WherryException.Conflict("cannot exec in a stopped container");
        }

        if (inherited.Environment.Count > 0)
        {
            process = process with { Env = [.. process.Env, .. inherited.Environment] };
        }

        var order = new ExecOrder(0, new ExecRequest(process, User: null, new StreamSelection(true, true, true), options.Detach));
        var cgroup = Subgroups.Find(container.Cgroup, subgroups);
        if (GlobalOptions.IsOrdinaryUser && container.State.Unit.Length > 0 && OwnScope.IsNeededFor(container.State.CgroupsPath))
        {
            using var systemd = ResponsibleManager.Connect();
            OwnScope.Enter(systemd, OciCommandLine.ProgramName);
        }

        if (!process.Terminal)
        {
            using var stdin = FileSyscalls.Duplicate(0);
            using var stdout = FileSyscalls.Duplicate(1);
            using var stderr = FileSyscalls.Duplicate(2);
            master = null;
            return launcher.Start(order, cgroup, root, stdin, stdout, stderr, rules);
        }

        var terminal = PseudoTerminal.OpenInside(root);
        using (terminal.Slave)
        {
            try
            {
                if (process.ConsoleSize is { Height: > 0, Width: > 0 } size)
                {
                    PseudoTerminal.Resize(terminal.Master, size.Height, size.Width);
                }

                if (options.ConsoleSocket is { } path)
                {
                    DescriptorSocket.SendConsole(path, terminal.Master);
                }
                else
                {
                    Foreground.CopySize(terminal.Master);
                }

                master = terminal.Master;
                return launcher.Start(order, cgroup, root, terminal.Slave, terminal.Slave, terminal.Slave, rules);
            }
            catch
            {
                terminal.Master.Dispose();
                throw;
            }
        }
    }

    private static Process ProcessOf(Container container, ParsedOptions parsed)
    {
        var own = container.Spec.Process ?? throw WherryException.Invalid("the container's configuration has no process");
        if (parsed.Text("process") is { Length: > 0 } path)
        {
            using var file = FileSyscalls.Open(path, OpenFlags.ReadOnly);
            var given = Bundle.ParseProcess(FileSyscalls.ReadToEnd(file, LargestProcessFile), path);
            return given.Args.Count == 0
                ? throw WherryException.Invalid("args must not be empty")
                : given with { Capabilities = given.Capabilities ?? own.Capabilities };
        }

        if (parsed.Operands.Count < 2)
        {
            throw WherryException.Invalid("process args cannot be empty");
        }

        var (uid, gid) = UserOf(parsed.Text("user"), own.User);
        return own with
        {
            Args = [.. parsed.Operands.Skip(1)],
            Cwd = parsed.Text("cwd") is { Length: > 0 } cwd ? cwd : own.Cwd,
            Env = [.. own.Env, .. parsed.Texts("env").Select(Variable)],
            Terminal = parsed.IsOn("tty"),
            ConsoleSize = null,
            NoNewPrivileges = parsed.Has("no-new-privs") ? parsed.IsOn("no-new-privs") : own.NoNewPrivileges,
            ApparmorProfile = parsed.Text("apparmor") is { Length: > 0 } profile ? profile : own.ApparmorProfile,
            SelinuxLabel = parsed.Text("process-label") is { Length: > 0 } label ? label : own.SelinuxLabel,
            Capabilities = With(own.Capabilities, parsed.Texts("cap")),
            User = own.User with
            {
                Uid = uid,
                Gid = gid,
                AdditionalGids = [.. own.User.AdditionalGids, .. parsed.Texts("additional-gids").Select(text => Id(text, "additional-gids"))],
            },
        };
    }

    private static string Variable(string text) =>
        text.IndexOf('=') > 0 ? text : throw new SandboxStartException($"invalid environment variable: \"{text}\"", FailureExitCode);

    private static (uint Uid, uint Gid) UserOf(string? text, User own)
    {
        if (string.IsNullOrEmpty(text))
        {
            return (own.Uid, own.Gid);
        }

        var colon = text.IndexOf(':');
        return colon < 0 ? (Id(text, "user"), own.Gid) : (Id(text[..colon], "user"), Id(text[(colon + 1)..], "user"));
    }

    private static uint Id(string text, string option) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
        ? id
        : throw WherryException.Invalid($"--{option} {text}: \"{text}\" is not a number; names are not looked up");

    // Not inheritable, so not ambient either: what a program of the container's executes in turn gets no more than before.
    private static Capabilities? With(Capabilities? own, IReadOnlyList<string> added)
    {
        if (added.Count == 0)
        {
            return own;
        }

        own ??= new Capabilities();
        return own with
        {
            Bounding = [.. own.Bounding, .. added],
            Effective = [.. own.Effective, .. added],
            Permitted = [.. own.Permitted, .. added],
        };
    }
}
