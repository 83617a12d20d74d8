using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections.Features;
using Wherry.Api.Http;

namespace Wherry.Api.Hijacking;

/// <summary>Turns a request into a two-way byte stream, as Docker's attach and exec do.</summary>
internal static class Hijack
{
    private const string Raw = "application/vnd.docker.raw-stream";
    private const string Multiplexed = "application/vnd.docker.multiplexed-stream";

    private static readonly ApiVersion MultiplexedSince = new(1, 42);
    private static readonly TimeSpan TimeToReadTheHead = TimeSpan.FromMilliseconds(20);

    /// <summary>The type of a stream of a program's output, as far as the client's version knows of it.</summary>
    public static string ContentType(bool tty, ApiVersion version) => tty || version < MultiplexedSince ? Raw : Multiplexed;

    /// <summary>
    /// Answers the request with the head of a stream, lets <paramref name="session"/> have both directions, and
    /// closes the connection after it. All that can be refused must have been refused before. The request's body
    /// has been read.
    /// </summary>
    public static async Task RunAsync(ApiRequest request, bool tty, Func<PipeReader, PipeWriter, CancellationToken, Task> session)
    {
        var connection = request.Http.Features.Get<HijackableConnection>()
            ?? throw new InvalidOperationException("the endpoint lacks the hijacking middleware");
        var stream = connection.TakeOver();
        try
        {
            var upgrade = request.Http.Request.Headers.Upgrade.Count > 0;
            WriteHead(stream.Output, upgrade, ContentType(tty, request.Version));
            await stream.Output.FlushAsync(stream.ClientGone).ConfigureAwait(false);
            if (LosesWhatFollowsTheHead(request))
            {
                await Task.Delay(TimeToReadTheHead, stream.ClientGone).ConfigureAwait(false);
            }

            await session(stream.Input, stream.Output, stream.ClientGone).ConfigureAwait(false);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The client or the program went away, which is how a session ends.
        }
        finally
        {
            await stream.DisposeAsync().ConfigureAwait(false);

            // Nothing of HTTP may follow: what the client still sends is no request. The HTTP layer lets go of the
            // connection, and its socket closes.
            request.Http.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
            request.Http.Abort();
        }
    }

    /// <summary>
    /// Docker's Python library reads the head through a buffer and the stream past it: what arrives together with
    /// the head is lost. Engines that take longer than the library to start a program never showed it that.
    /// </summary>
    private static bool LosesWhatFollowsTheHead(ApiRequest request) =>
        request.Http.Request.Headers.UserAgent.ToString().StartsWith("docker-sdk-python/", StringComparison.Ordinal);

    private static void WriteHead(PipeWriter output, bool upgrade, string contentType)
    {
        var head = new StringBuilder(256);
        head.Append(upgrade ? "HTTP/1.1 101 UPGRADED\r\n" : "HTTP/1.1 200 OK\r\n");
        StandardHeaders.Append(head);
        head.Append("Content-Type: ").Append(contentType).Append("\r\n");
        if (upgrade)
        {
            head.Append("Connection: Upgrade\r\nUpgrade: tcp\r\n");
        }

        head.Append("\r\n");
        var text = head.ToString();
        Encoding.ASCII.GetBytes(text, output.GetSpan(text.Length));
        output.Advance(text.Length);
    }
}
