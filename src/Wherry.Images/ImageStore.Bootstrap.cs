using Wherry.Errors;
using Wherry.Images.Bootstrap;
using Wherry.Images.References;
using Wherry.Linux.FileTrees;
using Wherry.Oci.Images;
using Wherry.Storage.Archives;
using Wherry.Storage.Pipelines;

namespace Wherry.Images;

/// <summary>Base images from a distribution's packages, without a registry.</summary>
public sealed partial class ImageStore
{
    private const string DefaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>Makes <c>busybox</c>, <c>debian:SUITE</c> or <c>ubuntu:SUITE</c>. The same packages give the same image.</summary>
    public async Task<Image> BootstrapAsync(BootstrapRequest request, IProgress<ImageProgress>? progress, CancellationToken cancel)
    {
        using var temporary = new TemporaryDirectory(_temporaryDirectory);
        return request.Name is "busybox" or "busybox:latest"
            ? await BootstrapBusyboxAsync(temporary, progress, cancel)
            : await BootstrapDistributionAsync(request.Name, temporary, progress, cancel);
    }

    private async Task<Image> BootstrapBusyboxAsync(TemporaryDirectory temporary, IProgress<ImageProgress>? progress, CancellationToken cancel)
    {
        var (program, time) = await new BusyboxPackage(temporary, progress).FindAsync(cancel);
        var path = Path.Combine(temporary.Path, "busybox");
        await File.WriteAllBytesAsync(path, program, cancel);
        using (var directory = FileTree.OpenDirectory(temporary.Path))
            _ = FileTree.SetModeOfNode(directory, "busybox"u8, 0x1ED);
        var applets = BusyboxRoot.ParseApplets(await ListAppletsAsync(path, temporary, cancel));
        return await PublishBaseAsync(
            "busybox:latest", ["sh"], DateTimeOffset.FromUnixTimeSeconds(time.Seconds), output => BusyboxRoot.Write(output, program, time, applets), cancel);
    }

    private static async Task<string> ListAppletsAsync(string busybox, TemporaryDirectory temporary, CancellationToken cancel)
    {
        // The program itself knows its applets. env(1) starts it, as only programs of the system are looked up by name.
        return await ChildProcess.CaptureAsync("env", [busybox, "--list-full"], new Dictionary<string, string>(StringComparer.Ordinal), temporary.Path, cancel);
    }

    private async Task<Image> BootstrapDistributionAsync(string name, TemporaryDirectory temporary, IProgress<ImageProgress>? progress, CancellationToken cancel)
    {
        var (distribution, suite) = Bootstrap.Distribution.Parse(name);
        var root = new DebianRoot(distribution, suite, temporary, progress);
        var date = await root.PrepareAsync(cancel);
        using var child = root.Start();
        using var stopping = cancel.Register(child.Kill);
        try
        {
            return await PublishBaseAsync(
                $"{distribution.Id}:{suite}",
                ["bash"],
                date,
                output => DebianRootFilter.Write(child.Output, output, date),
                cancel,
                () => child.WaitAsync(cancel).GetAwaiter().GetResult());
        }
        catch (TarFormatException truncated)
        {
            // A child that failed leaves half an archive; its own words are the cause.
            cancel.ThrowIfCancellationRequested();
            await child.WaitAsync(cancel);
            throw WherryException.System($"mmdebstrap wrote no usable archive: {truncated.Message}", truncated);
        }
    }

    /// <summary>Takes the layer that <paramref name="feed"/> writes and publishes the image, once <paramref name="confirm"/> has not thrown.</summary>
    private Task<Image> PublishBaseAsync(string name, IReadOnlyList<string> command, DateTimeOffset date, Action<Stream> feed, CancellationToken cancel, Action? confirm = null) =>
        ThreadBridge.OnThread(() =>
        {
            using var writing = BeginWriting();
            using var arrival = _intake.Take(feed, TarEnd.Required, cancel);
            confirm?.Invoke();
            var config = new ImageConfig
            {
                Created = date,
                Architecture = Platform.Host.Architecture,
                Os = Platform.Host.Os,
                Config = new ExecutionParameters { Env = [DefaultPath], Cmd = command },
                History = [new History { Created = date, CreatedBy = $"wherry image bootstrap {name}" }],
            };
            return PublishNew(config, parent: null, arrival, ImageReference.Parse(name));
        });
}
