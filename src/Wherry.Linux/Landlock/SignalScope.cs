using Wherry.Linux.Kernel;

namespace Wherry.Linux.Landlock;

/// <summary>
/// A Landlock domain (landlock(7)) that ends signals at its border. As with every domain, tracing ends there too, and
/// with it all that asks the same question: another process's /proc/PID/root, cwd, exe, fd, mem, environ and ns. It
/// handles no access to files, and so leaves mount(2) and pivot_root(2) alone, which any other domain would forbid.
/// </summary>
public static unsafe class SignalScope
{
    private const int AskForVersion = 1;
    private const int AskForErrata = 2;
    private const int FirstWithScopes = 6;

    /// <summary>Erratum 2: a thread may signal others of its own process whatever their domains. The runtime's collector depends on it.</summary>
    private const int OwnThreadsMended = 1 << 1;
    private const ulong ScopeSignal = 1 << 1;

    /// <summary>The kernel has Landlock, with scopes (Linux 6.12) and their mended form.</summary>
    public static bool IsOffered =>
        Syscall.Call(SyscallNumber.LandlockCreateRuleset, 0, 0, AskForVersion) >= FirstWithScopes
        && (Syscall.Call(SyscallNumber.LandlockCreateRuleset, 0, 0, AskForErrata) & OwnThreadsMended) != 0;

    /// <summary>
    /// Puts the calling thread into a new domain, for good; what it makes from now on, processes and threads, is in it too.
    /// Needs CAP_SYS_ADMIN in its user namespace, or no-new-privileges.
    /// </summary>
    /// <returns>Whether it is in one: the kernel nests 16.</returns>
    public static bool TryEnter()
    {
        if (!IsOffered)
        {
            return false;
        }

        // SAFETY: struct landlock_ruleset_attr, whose third field came with scopes.
        var ruleset = stackalloc ulong[] { 0, 0, ScopeSignal };
        var number = Syscall.Call(SyscallNumber.LandlockCreateRuleset, (nint)ruleset, 3 * sizeof(ulong));
        if (number < 0)
        {
            return false;
        }

        using var file = new FileDescriptor((int)number);
        return Syscall.Call(SyscallNumber.LandlockRestrictSelf, file.Number) == 0;
    }
}
