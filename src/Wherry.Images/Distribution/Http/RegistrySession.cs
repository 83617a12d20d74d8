using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using Wherry.Errors;

namespace Wherry.Images.Distribution.Http;

/// <summary>A request as the session sends it, as often as it takes.</summary>
/// <param name="Method">The method.</param>
/// <param name="Uri">Where to; at the endpoint, or where it sent us.</param>
/// <param name="Doing">For errors: <c>fetch manifest latest of library/debian</c>.</param>
internal sealed record RegistryRequest(HttpMethod Method, Uri Uri, string Doing)
{
    /// <summary>Null accepts all.</summary>
    public IReadOnlyList<string>? Accept { get; init; }

    /// <summary>First byte wanted of the body.</summary>
    public long From { get; init; }

    /// <summary>As uploads spell it: <c>0-1023</c>, without unit or total.</summary>
    public string? ContentRange { get; init; }

    /// <summary>Makes the body anew for each try.</summary>
    public Func<HttpContent>? Content { get; init; }

    /// <summary>What the token must allow: <c>repository:library/debian:pull</c>.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>False for what must not be done twice unseen: the caller decides how to go on.</summary>
    public bool MayRepeat { get; init; } = true;

    /// <summary>Ask the token server for a refresh token, too.</summary>
    public bool WantsIdentity { get; init; }

    /// <summary>Statuses besides success that the caller wants to see itself.</summary>
    public IReadOnlyList<HttpStatusCode> Expected { get; init; } = [];
}

/// <summary>Requests to one endpoint: with credentials, redirects and further tries.</summary>
/// <remarks>Thread-safe. Disposing is not needed: connections belong to the transport.</remarks>
internal sealed class RegistrySession(Transport transport, Endpoint endpoint, RegistryCredentials? credentials)
{
    private const int MostRedirects = 10;

    private readonly Authorizer _authorizer = new(transport, endpoint, endpoint.IsMirror ? endpoint.OwnCredentials : credentials);

    internal Endpoint Endpoint { get; } = endpoint;

    internal RegistryOptions Options => transport.Options;

    internal string? IdentityToken => _authorizer.IdentityToken;

    /// <summary>Sends until an answer is there that says something: success, or one of the statuses the request expects.</summary>
    /// <exception cref="RegistryException">Any other status, or no answer.</exception>
    internal async Task<HttpResponseMessage> SendAsync(RegistryRequest request, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            RegistryException failure;
            RetryConditionHeaderValue? asked = null;
            bool transient;
            try
            {
                var response = await SendOnceAsync(request, cancel);
                transport.Answered(Endpoint);
                if (response.IsSuccessStatusCode || request.Expected.Contains(response.StatusCode))
                    return response;
                using (response)
                {
                    transient = Backoff.IsTransient(response.StatusCode);
                    asked = response.Headers.RetryAfter;
                    failure = await RegistryException.FromAsync(response, Endpoint, request.Doing, cancel);
                }
            }
            catch (Exception broken) when (broken is HttpRequestException or IOException || (broken is OperationCanceledException && !cancel.IsCancellationRequested))
            {
                failure = new RegistryException(ErrorKind.Unavailable, $"{request.Doing} at registry {Endpoint}: {Describe(broken)}", inner: broken);
                // Nobody listens there, or it is not who it should be: that does not change by asking again.
                transient = !IsFinal(broken);
            }
            if (!transient || !request.MayRepeat || attempt >= transport.Options.MaxAttempts || Backoff.Before(attempt, asked, transport.Options) is not { } wait)
                throw failure;
            await Task.Delay(wait, cancel);
        }
    }

    /// <summary>The cause in words a user can act on.</summary>
    internal static string Describe(Exception failure) => failure switch
    {
        OperationCanceledException => "it did not answer in time",
        HttpRequestException { InnerException: AuthenticationException tls } => $"{tls.InnerException?.Message ?? tls.Message} (a registry's own CA belongs in certs.d/HOST:PORT/ca.crt, an insecure registry in insecure-registries)",
        HttpRequestException { InnerException: SocketException socket } => socket.Message + Advice(socket.SocketErrorCode),
        HttpRequestException { InnerException: IOException io } => io.Message,
        _ => failure.Message,
    };

    private static string Advice(SocketError error) => error switch
    {
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => " (check the name, the host's name servers and its proxy settings, or set a mirror in registry-mirrors)",
        SocketError.ConnectionRefused => " (nothing listens there: check address and port)",
        SocketError.NetworkUnreachable or SocketError.HostUnreachable or SocketError.TimedOut => " (check the host's network and proxy settings, or set a mirror in registry-mirrors)",
        _ => "",
    };

    private static bool IsFinal(Exception failure) => failure is OperationCanceledException { InnerException: TimeoutException } // to connect
        or HttpRequestException
    {
        HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError or HttpRequestError.NameResolutionError
                or HttpRequestError.ProxyTunnelError or HttpRequestError.InvalidResponse,
    };

    private async Task<HttpResponseMessage> SendOnceAsync(RegistryRequest request, CancellationToken cancel)
    {
        var header = await _authorizer.HeaderAsync(request.Scopes, cancel);
        var response = await FollowAsync(request, header, cancel);
        if (response.StatusCode != HttpStatusCode.Unauthorized || !IsOwn(response.RequestMessage!.RequestUri!))
            return response;
        var answer = await _authorizer.ChallengedAsync(response, request.Scopes, request.WantsIdentity, cancel);
        if (answer is null || answer.Equals(header))
            return response;
        response.Dispose();
        return await FollowAsync(request, answer, cancel);
    }

    /// <summary>Redirects go anywhere the registry says, but never from https to http, and credentials stay at home.</summary>
    private async Task<HttpResponseMessage> FollowAsync(RegistryRequest request, AuthenticationHeaderValue? header, CancellationToken cancel)
    {
        var uri = request.Uri;
        for (var hop = 0; ; hop++)
        {
            var response = await ExchangeAsync(request, uri, IsOwn(uri) ? header : null, cancel);
            if (response.StatusCode is not (HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect)
                || response.Headers.Location is not { } location)
            {
                return response;
            }
            response.Dispose();
            if (request.Method != HttpMethod.Get && request.Method != HttpMethod.Head && response.StatusCode is not (HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect))
                throw new RegistryException(ErrorKind.System, $"{request.Doing} at registry {Endpoint}: it redirects a {request.Method}, which can't be followed", response.StatusCode);
            if (hop == MostRedirects)
                throw new RegistryException(ErrorKind.System, $"{request.Doing} at registry {Endpoint}: more than {MostRedirects} redirects", response.StatusCode);
            var next = new Uri(uri, location);
            if (next.Scheme is not ("http" or "https") || (uri.Scheme == "https" && next.Scheme == "http"))
                throw new RegistryException(ErrorKind.Forbidden, $"{request.Doing} at registry {Endpoint}: it redirects to {next.Scheme}://{next.Authority}, which is not secure", response.StatusCode);
            uri = next;
        }
    }

    private async Task<HttpResponseMessage> ExchangeAsync(RegistryRequest request, Uri uri, AuthenticationHeaderValue? header, CancellationToken cancel)
    {
        using var message = new HttpRequestMessage(request.Method, uri) { Content = request.Content?.Invoke() };
        message.Headers.UserAgent.ParseAdd("wherry");
        message.Headers.Authorization = header;
        foreach (var type in request.Accept ?? [])
            message.Headers.Accept.ParseAdd(type);
        if (request.ContentRange is { } range)
            message.Content!.Headers.TryAddWithoutValidation("Content-Range", range);
        if (request.From > 0)
            message.Headers.Range = new RangeHeaderValue(request.From, null);
        // The bound is on the head of the answer; for a body we send, its source keeps its own time.
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        if (message.Content is UploadContent upload)
            upload.Watch(timeout, transport.Options);
        else
            timeout.CancelAfter(transport.Options.AnswerTimeout);
        var response = await transport.SendAsync(message, Endpoint.AnyCertificate && IsOwn(uri), timeout.Token);
        // The request is disposed with this method; who looks at it later only wants to know where it went.
        response.RequestMessage = new HttpRequestMessage(request.Method, uri) { Headers = { Authorization = header } };
        return response;
    }

    private bool IsOwn(Uri uri) => uri.Scheme == Endpoint.Scheme && uri.Authority == new Uri(Endpoint.Scheme + "://" + Endpoint.Authority).Authority;
}
