using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Wherry.Linux;
using Wherry.Linux.Processes;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Identity;
using Wherry.Runtime.Programs;
using Wherry.Runtime.Seccomp;

namespace Wherry.Runtime.LifecycleHooks;

/// <summary>
/// startContainer hooks: files of the container's, so they run as its own program does, as its user and with no
/// more capabilities than it has.
/// </summary>
public static unsafe class ContainerHooks
{
    /// <param name="hooks">The list.</param>
    /// <param name="state">Given to each.</param>
    /// <param name="process">The container's program, whose confinement they share.</param>
    /// <param name="user">Its user.</param>
    /// <param name="grant">What the host gives of its limits and capabilities.</param>
    /// <param name="filter">Its filter of system calls; one that an agent has to answer for is the program's alone.</param>
    /// <param name="confine">Adds to a hook's plan what the program's has been given beyond that.</param>
    /// <exception cref="Contracts.SandboxStartException">One failed; those behind it have not run.</exception>
    public static void Run(IReadOnlyList<Hook> hooks, HookState state, Process process, ResolvedUser user, HostGrant grant, SyscallFilter? filter, Action<PreparedProgram> confine)
    {
        if (hooks.Count == 0)
        {
            return;
        }

        var json = state.ToJson();
        foreach (var hook in hooks)
        {
            using var running = new HookProcess(json);
            var like = process with { Args = hook.Args.Count == 0 ? [hook.Path] : hook.Args, Env = hook.Env ?? process.Env, Cwd = "/", Terminal = false };
            using var program = new PreparedProgram(like, user, grant, filter is { NeedsListener: true } ? null : filter, hook.Path);
            confine(program);
            program.Plan.Stdin = running.Stdin.Number;
            program.Plan.Stdout = running.Output.Number;
            program.Plan.Stderr = running.Output.Number;
            program.Plan.NewSession = true;
            var pid = VforkChild.Run(&ProgramChild, program.Address, CloneFlags.None);
            if (pid < 0)
            {
                throw HookRunner.Failure("startContainer", hook, Errno.Describe(-pid));
            }

            if (program.Plan.FailedStep != ProgramStep.None)
            {
                ProcessSyscalls.Wait(pid, block: true);
                throw HookRunner.Failure("startContainer", hook, program.Failure().Message);
            }

            HookRunner.Require("startContainer", hook, running.Await(pid, hook), running.Said);
        }
    }

    // Runs in the child: see VforkChild for what it may do.
    [UnmanagedCallersOnly]
    private static int ProgramChild(void* plan)
    {
        // SAFETY: the plan is the parent's, which stands still until we have executed or exited.
        ProgramEntry.Run(ref Unsafe.AsRef<ProgramPlan>(plan));
        VforkChild.Exit(1);
        return 0;
    }
}
