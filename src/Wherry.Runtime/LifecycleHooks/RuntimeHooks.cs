using Wherry.Linux;
using Wherry.Linux.Sockets;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Contracts.Protocol;

namespace Wherry.Runtime.LifecycleHooks;

/// <summary>The hooks that whoever makes, starts and removes a container runs, each at its point (runtime.md, "Lifecycle").</summary>
public static class RuntimeHooks
{
    /// <summary>prestart and createRuntime; then lets the stage go on, which has said <see cref="MessageKind.StageMounted"/> and waits.</summary>
    /// <param name="channel">To the stage.</param>
    /// <param name="id">The container's id.</param>
    /// <param name="pid">Its first process, on the host.</param>
    /// <param name="bundle">The bundle's directory.</param>
    /// <param name="spec">Its configuration.</param>
    /// <exception cref="SandboxStartException">One failed; the container is to be removed.</exception>
    public static void AtCreation(FileDescriptor channel, string id, int pid, string bundle, Spec spec)
    {
        AtCreation(id, pid, bundle, spec);
        UnixSockets.SendMessage(channel, new WireWriter(MessageKind.StageContinue, 0).Finish().Span);
    }

    /// <summary>The same where no stage waits.</summary>
    /// <inheritdoc cref="AtCreation(FileDescriptor, string, int, string, Spec)"/>
    public static void AtCreation(string id, int pid, string bundle, Spec spec)
    {
        var state = HookState.Of(id, "creating", pid, bundle, spec);
        HookRunner.Run("prestart", spec.Hooks?.Prestart ?? [], state);
        HookRunner.Run("createRuntime", spec.Hooks?.CreateRuntime ?? [], state);
    }

    /// <summary>poststart, once the program runs. What fails is told and changes nothing.</summary>
    public static void AfterStart(string id, int pid, string bundle, Spec spec, Action<string> warn) =>
        HookRunner.RunAll("poststart", spec.Hooks?.Poststart ?? [], HookState.Of(id, "running", pid, bundle, spec), warn);

    /// <summary>poststop, once all that the container had is removed. What fails is told and changes nothing.</summary>
    public static void AfterEnd(string id, string bundle, Spec spec, Action<string> warn) =>
        HookRunner.RunAll("poststop", spec.Hooks?.Poststop ?? [], HookState.Of(id, "stopped", 0, bundle, spec), warn);
}
