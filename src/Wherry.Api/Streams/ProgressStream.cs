using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using Wherry.Api.Contracts;
using Wherry.Api.Contracts.Streams;
using Wherry.Api.Http;
using Wherry.Images;

namespace Wherry.Api.Streams;

/// <summary>
/// A long operation told line by line (JSON objects, one per line). The status goes out with the first line: an
/// operation that fails before it has said anything fails with a proper status, later with a last line.
/// </summary>
internal sealed class ProgressStream : IProgress<ImageProgress>
{
    /// <summary>Between two reports of the same item; a client's screen is not quicker, and a slow client's backlog stays short.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly HttpResponse _response;
    private readonly CancellationToken _aborted;
    private readonly Channel<JsonMessage> _lines = Channel.CreateUnbounded<JsonMessage>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _lastReports = new(StringComparer.Ordinal);

    private ProgressStream(ApiRequest request)
    {
        _response = request.Http.Response;
        _aborted = request.Aborted;
    }

    /// <summary>Runs an operation, writing what it reports.</summary>
    public static async Task RunAsync(ApiRequest request, Func<ProgressStream, Task> operation)
    {
        var stream = new ProgressStream(request);
        var writing = stream.WriteLinesAsync();
        try
        {
            await operation(stream).ConfigureAwait(false);
        }
        catch (Exception exception) when (!request.Aborted.IsCancellationRequested)
        {
            if (!stream.TryFail(exception))
            {
                stream._lines.Writer.TryComplete();
                await writing.ConfigureAwait(false);
                throw;
            }
        }

        stream._lines.Writer.TryComplete();
        await writing.ConfigureAwait(false);
    }

    public void Report(ImageProgress value)
    {
        if (value.Current is { } current && current != value.Total && !IsDue(value.Id ?? ""))
        {
            return;
        }

        Send(new JsonMessage
        {
            Id = value.Id,
            Status = value.Status,
            // An item's line without numbers has an empty detail: by it, clients tell it from a line of its own.
            ProgressDetail = value.Current is not null ? new ProgressDetail { Current = value.Current, Total = value.Total }
                : value.Id is not null && !value.Heading ? new ProgressDetail()
                : null,
            Progress = value.Current is null ? null : ProgressBar.Draw(value.Current.Value, value.Total),
        });
    }

    public void Status(string text) => Send(new JsonMessage { Status = text });

    public void Stream(string text) => Send(new JsonMessage { Stream = text });

    public void Aux(JsonElement value) => Send(new JsonMessage { Aux = value });

    private void Send(JsonMessage message)
    {
        lock (_gate)
        {
            HasSpoken = true;
        }

        _lines.Writer.TryWrite(message);
    }

    private bool HasSpoken { get; set; }

    /// <summary>False when nothing has been said yet, so that the failure can still be the answer's status.</summary>
    private bool TryFail(Exception exception)
    {
        lock (_gate)
        {
            if (!HasSpoken)
            {
                return false;
            }
        }

        var failure = Failure.Of(exception);
        Send(new JsonMessage { ErrorDetail = new ErrorDetail { Code = failure.Status, Message = failure.Message }, Error = failure.Message });
        return true;
    }

    private bool IsDue(string item)
    {
        var now = Environment.TickCount64;
        lock (_gate)
        {
            if (_lastReports.TryGetValue(item, out var last) && now - last < Interval.TotalMilliseconds)
            {
                return false;
            }

            _lastReports[item] = now;
            return true;
        }
    }

    private async Task WriteLinesAsync()
    {
        try
        {
            while (await _lines.Reader.WaitToReadAsync(_aborted).ConfigureAwait(false))
            {
                if (!_response.HasStarted)
                {
                    _response.ContentType = "application/json";
                }

                while (_lines.Reader.TryRead(out var line))
                {
                    JsonAnswer.WriteLine(_response.BodyWriter, line, ApiJson.Default.JsonMessage);
                }

                await _response.BodyWriter.FlushAsync(_aborted).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The client has gone; the operation learns of it by the same token.
        }
    }
}
