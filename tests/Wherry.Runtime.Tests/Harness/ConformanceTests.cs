using System.Reflection;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;

namespace Wherry.Runtime.Tests.Harness;

/// <summary>
/// Tests of runtime-spec's properties, which derived classes run in one mode each. What a mode can't do is not skipped
/// there: the test shows that it is refused by name, or what is done instead, as its attributes say.
/// </summary>
public abstract class ConformanceTests(RuntimeMode mode)
{
    public RuntimeMode Mode => mode;

    /// <summary>The attributes of the test that runs say that this mode refuses what it is about.</summary>
    protected bool IsRefused => Properties.Any(property => property.RefusedIn.HasFlag(mode));

    /// <summary>They say that this mode does something else.</summary>
    protected bool IsOtherwise => Properties.Any(property => property.OtherwiseIn.HasFlag(mode));

    /// <summary>The root file system's directory, of owners that the container's root may change.</summary>
    protected string RootFilesystem => mode == RuntimeMode.Rootless ? RootlessUser.RootFilesystem : TestHost.RootFilesystem;

    private static IEnumerable<SpecPropertyAttribute> Properties =>
        ((Xunit.v3.IXunitTestMethod)TestContext.Current.TestMethod!).Method.GetCustomAttributes<SpecPropertyAttribute>();

    protected TestContainer Prepare(string[] args, Func<SandboxRequest, SandboxRequest>? change = null) => TestContainer.Prepare(args, change, mode);

    protected Task<TestContainer> CreateAsync(string[] args, Func<SandboxRequest, SandboxRequest>? change = null) => TestContainer.CreateAsync(args, change, mode);

    protected Task<TestContainer> StartAsync(string[] args, Func<SandboxRequest, SandboxRequest>? change = null) => TestContainer.StartAsync(args, change, mode);

    protected Task<string> OutputOfAsync(string script, Func<SandboxRequest, SandboxRequest>? change = null) => TestContainer.OutputOfAsync(script, change, mode);

    /// <summary>A start that fails with an error that begins with the property's name, and leaves nothing.</summary>
    protected async Task<string> RefusedAsync(string property, Func<SandboxRequest, SandboxRequest> change)
    {
        // With a user namespace it is the maker who refuses, and so the create; without one the stage, and so the start.
        var message = await FailureAsync(change);
        Assert.StartsWith(property, message);
        return message;
    }

    /// <summary>How a container could not be made.</summary>
    protected async Task<string> FailureAsync(Func<SandboxRequest, SandboxRequest> change)
    {
        try
        {
            await using var container = await CreateAsync(["true"], change);
            var failure = await Assert.ThrowsAnyAsync<Errors.WherryException>(() => container.Sandbox.StartAsync(TestContainer.Cancel));
            await container.CleanUpAsync();
            Assert.Empty(container.Remains());
            return failure.Message;
        }
        catch (Errors.WherryException refused)
        {
            return refused.Message;
        }
    }

    /// <summary>The id on the host of one inside.</summary>
    protected uint HostUid(uint inside) => mode switch
    {
        RuntimeMode.Root => inside,
        RuntimeMode.UserNamespaced => 200_000 + inside,
        _ => RootlessUser.HostId(inside),
    };

    /// <summary>A directory whose owner is the container's root.</summary>
    /// <param name="isMapped">It is shown through an id-mapped mount: then root owns it on disk, too.</param>
    protected string NewDirectory(bool isMapped = false)
    {
        var directory = Directory.CreateDirectory(Path.Combine(TestHost.Directory, Guid.NewGuid().ToString("n"))).FullName;
        Give(directory, isMapped);
        return directory;
    }

    /// <summary>Makes the container's root the owner of files.</summary>
    /// <param name="path">The topmost.</param>
    /// <param name="isMapped">As above; the layers of a root file system are, where root makes it.</param>
    protected void Give(string path, bool isMapped = false)
    {
        if (mode == RuntimeMode.Rootless || (mode == RuntimeMode.UserNamespaced && !isMapped))
        {
            TestHost.Run("chown", "-R", $"{HostUid(0)}:{(mode == RuntimeMode.Rootless ? HostUid(0) : 300_000)}", path);
        }
    }

    /// <summary>What joins namespaces of another's container needs beside those: the user namespace that owns them, where root of the host's doesn't join.</summary>
    protected Namespace[] Joined(TestContainer other, params Namespace[] namespaces) =>
        mode == RuntimeMode.Rootless || (mode == RuntimeMode.UserNamespaced && namespaces.Any(ns => ns.Type == "mount")) ? [new Namespace("user", $"/proc/{other.Sandbox.HostPid}/ns/user"), .. namespaces] : namespaces;
}
