using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Wherry.Storage.Layers;

namespace Wherry.Images.Tests.Registries;

/// <summary>One request as the registry got it.</summary>
public sealed record Received(string Method, string Path, string Query, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Header(string name) => Headers.GetValueOrDefault(name, "");

    public bool IsBlob => Path.Contains("/blobs/sha256:", StringComparison.Ordinal);
}

/// <summary>An answer, and what may be wrong with it.</summary>
public sealed record Answer(int Status, byte[] Body, params (string Name, string Value)[] Headers)
{
    /// <summary>The connection breaks after so many bytes of the body.</summary>
    public int? CutAfter { get; init; }

    /// <summary>Between stretches of the body.</summary>
    public TimeSpan Pause { get; init; }

    /// <summary>Held back until this is set.</summary>
    public TaskCompletionSource? Gate { get; init; }

    public static Answer Json(int status, string json, params (string Name, string Value)[] headers) =>
        new(status, Encoding.UTF8.GetBytes(json), [("Content-Type", "application/json"), .. headers]);

    public static Answer Error(int status, string code, string message, params (string Name, string Value)[] headers) =>
        Json(status, $$"""{"errors":[{"code":"{{code}}","message":"{{message}}"}]}""", headers);
}

/// <summary>A registry of the test's own, byte by byte on a socket, so that everything that can go wrong on the way can be made to.</summary>
public sealed class TestRegistry : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly X509Certificate2? _certificate;
    private readonly bool _wantsClientCertificate;
    private readonly ConcurrentDictionary<string, MemoryStream> _uploads = new(StringComparer.Ordinal);
    private int _lastUpload;

    public TestRegistry(X509Certificate2? certificate = null, bool wantsClientCertificate = false)
    {
        _certificate = certificate;
        _wantsClientCertificate = wantsClientCertificate;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Host => $"127.0.0.1:{Port}";

    public string Url => $"{(_certificate is null ? "http" : "https")}://{Host}";

    public ConcurrentDictionary<string, byte[]> Blobs { get; } = new(StringComparer.Ordinal);

    /// <summary>By <c>repository:tag</c> and <c>repository@digest</c>.</summary>
    public ConcurrentDictionary<string, (string Type, byte[] Bytes)> Manifests { get; } = new(StringComparer.Ordinal);

    public ConcurrentQueue<Received> Requests { get; } = new();

    /// <summary>Asked first; null lets the registry answer.</summary>
    public Func<Received, Answer?> Fault { get; set; } = static _ => null;

    public IEnumerable<Received> Of(string method, string containing) =>
        Requests.Where(request => request.Method == method && (request.Path + request.Query).Contains(containing, StringComparison.Ordinal));

    public string AddBlob(byte[] content)
    {
        var digest = Digests.Of(content);
        Blobs[digest] = content;
        return digest;
    }

    public string AddManifest(string repository, string? tag, string type, string json)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        var digest = Digests.Of(bytes);
        Manifests[$"{repository}@{digest}"] = (type, bytes);
        if (tag is not null)
            Manifests[$"{repository}:{tag}"] = (type, bytes);
        return digest;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        _stop.Dispose();
    }

    public Answer AnswerWell(Received request)
    {
        if (request.Path == "/v2/")
            return Answer.Json(200, "{}");
        var at = request.Path.IndexOf("/manifests/", StringComparison.Ordinal);
        if (at > 0)
            return Manifest(request, request.Path[4..at], request.Path[(at + 11)..]);
        at = request.Path.IndexOf("/blobs/uploads/", StringComparison.Ordinal);
        if (at > 0)
            return Upload(request, request.Path[4..at], request.Path[(at + 15)..]);
        at = request.Path.IndexOf("/blobs/", StringComparison.Ordinal);
        if (at > 0)
            return Blob(request, request.Path[(at + 7)..]);
        at = request.Path.IndexOf("/tags/list", StringComparison.Ordinal);
        if (at > 0)
        {
            var prefix = request.Path[4..at] + ":";
            var tags = Manifests.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal) && !key.Contains('@')).Select(key => key[prefix.Length..]).Order(StringComparer.Ordinal);
            return Answer.Json(200, $$"""{"name":"x","tags":{{JsonSerializer.Serialize(tags)}}}""");
        }
        return Answer.Error(404, "NOT_FOUND", "no such path");
    }

    private Answer Manifest(Received request, string repository, string reference)
    {
        var separator = reference.Contains(':') ? '@' : ':';
        if (request.Method == "PUT")
        {
            var digest = AddManifest(repository, separator == ':' ? reference : null, request.Header("Content-Type"), Encoding.UTF8.GetString(request.Body));
            return new Answer(201, [], ("Docker-Content-Digest", digest), ("Location", $"/v2/{repository}/manifests/{digest}"));
        }
        return Manifests.TryGetValue($"{repository}{separator}{reference}", out var found)
            ? new Answer(200, found.Bytes, ("Content-Type", found.Type), ("Docker-Content-Digest", Digests.Of(found.Bytes)))
            : Answer.Error(404, "MANIFEST_UNKNOWN", "manifest unknown");
    }

    private Answer Blob(Received request, string digest)
    {
        if (!Blobs.TryGetValue(digest, out var content))
            return Answer.Error(404, "BLOB_UNKNOWN", "blob unknown to registry");
        var range = request.Header("Range");
        if (range.Length == 0)
            return new Answer(200, content, ("Accept-Ranges", "bytes"));
        var start = int.Parse(range["bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture);
        return new Answer(206, content[start..], ("Content-Range", $"bytes {start}-{content.Length - 1}/{content.Length}"));
    }

    private Answer Upload(Received request, string repository, string id)
    {
        if (request.Method == "POST")
        {
            if (Parameter(request.Query, "mount") is { } mount && Blobs.ContainsKey(mount) && Parameter(request.Query, "from") is not null)
                return new Answer(201, [], ("Location", $"/v2/{repository}/blobs/{mount}"));
            id = Interlocked.Increment(ref _lastUpload).ToString(CultureInfo.InvariantCulture);
            _uploads[id] = new MemoryStream();
            return new Answer(202, [], ("Location", $"/v2/{repository}/blobs/uploads/{id}?state=a%2Fb"));
        }
        if (!_uploads.TryGetValue(id, out var upload))
            return Answer.Error(404, "BLOB_UPLOAD_UNKNOWN", "upload unknown");
        if (request.Method == "PATCH" && request.Header("Content-Range") is { Length: > 0 } range && !range.StartsWith($"{upload.Length}-", StringComparison.Ordinal))
            return Answer.Error(416, "RANGE_INVALID", $"at {upload.Length}");
        upload.Write(request.Body);
        var headers = new[] { ("Location", $"/v2/{repository}/blobs/uploads/{id}?state=a%2Fb"), ("Range", $"0-{Math.Max(0, upload.Length - 1)}") };
        switch (request.Method)
        {
            case "PATCH":
                return new Answer(202, [], headers);
            case "GET":
                return new Answer(204, [], headers);
            case "DELETE":
                _uploads.TryRemove(id, out _);
                return new Answer(204, []);
            default:
                var digest = Parameter(request.Query, "digest")!;
                if (Digests.Of(upload.ToArray()) != digest)
                    return Answer.Error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
                AddBlob(upload.ToArray());
                return new Answer(201, [], ("Location", $"/v2/{repository}/blobs/{digest}"), ("Docker-Content-Digest", digest));
        }
    }

    private static string? Parameter(string query, string name) =>
        query.TrimStart('?').Split('&').Select(part => part.Split('=', 2)).Where(pair => pair[0] == name).Select(pair => Uri.UnescapeDataString(pair[1])).FirstOrDefault();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                Stream stream = client.GetStream();
                if (_certificate is not null)
                {
                    var secure = new SslStream(stream, false, (_, certificate, _, _) => certificate is not null || !_wantsClientCertificate);
                    await secure.AuthenticateAsServerAsync(_certificate, _wantsClientCertificate, checkCertificateRevocation: false);
                    stream = secure;
                }
                while (await ReadRequestAsync(stream) is { } request)
                {
                    Requests.Enqueue(request);
                    if (!await WriteAsync(stream, request, Fault(request) ?? AnswerWell(request)))
                        return;
                }
            }
            catch (Exception end) when (end is IOException or SocketException or ObjectDisposedException or System.Security.Authentication.AuthenticationException or OperationCanceledException)
            {
                // The client has had enough.
            }
        }
    }

    private async Task<Received?> ReadRequestAsync(Stream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, _stop.Token) == 0)
                return null;
            if (head.Length == 0 && one[0] == 0x16)
                return null; // TLS, which this one does not speak
            head.Append((char)one[0]);
        }
        var lines = head.ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var words = lines[0].Split(' ');
        var headers = lines.Skip(1).Select(line => line.Split(':', 2)).GroupBy(pair => pair[0], StringComparer.OrdinalIgnoreCase).ToDictionary(group => group.Key, group => string.Join(", ", group.Select(pair => pair[1].Trim())), StringComparer.OrdinalIgnoreCase);
        var body = new byte[int.Parse(headers.GetValueOrDefault("Content-Length", "0"), CultureInfo.InvariantCulture)];
        await stream.ReadExactlyAsync(body, _stop.Token);
        var parts = words[1].Split('?', 2);
        return new Received(words[0], Uri.UnescapeDataString(parts[0]), parts.Length == 2 ? "?" + parts[1] : "", headers, body);
    }

    private async Task<bool> WriteAsync(Stream stream, Received request, Answer answer)
    {
        var head = new StringBuilder($"HTTP/1.1 {answer.Status} Status\r\nContent-Length: {answer.Body.Length}\r\n");
        foreach (var (name, value) in answer.Headers)
            head.Append($"{name}: {value}\r\n");
        head.Append("\r\n");
        if (answer.Gate is not null)
            await answer.Gate.Task.WaitAsync(_stop.Token);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head.ToString()), _stop.Token);
        if (request.Method == "HEAD" || answer.Status is 204 or 304)
            return true;
        var length = Math.Min(answer.CutAfter ?? int.MaxValue, answer.Body.Length);
        const int Stretch = 64 * 1024;
        for (var at = 0; at < length; at += Stretch)
        {
            await stream.WriteAsync(answer.Body.AsMemory(at, Math.Min(Stretch, length - at)), _stop.Token);
            if (answer.Pause > TimeSpan.Zero)
                await Task.Delay(answer.Pause, _stop.Token);
        }
        await stream.FlushAsync(_stop.Token);
        return answer.CutAfter is null;
    }
}
