using System.Net;
using System.Net.Http.Headers;

namespace Wherry.Images.Distribution.Http;

/// <summary>When to try again.</summary>
internal static class Backoff
{
    internal static bool IsTransient(HttpStatusCode status) => status is
        HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or HttpStatusCode.InternalServerError
        or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    /// <summary>The wait before the next try: what the registry asked for, else doubled each time with some chance; null when it asks for too much.</summary>
    internal static TimeSpan? Before(int attempt, RetryConditionHeaderValue? asked, RegistryOptions options)
    {
        if (asked is not null)
            return Asked(asked) is var wait && wait <= options.LongestWait ? wait : null;
        var delay = options.RetryDelay * Math.Pow(2, attempt - 1) * (0.75 + (Random.Shared.NextDouble() / 2));
        return delay < options.LongestWait ? delay : options.LongestWait;
    }

    internal static TimeSpan Asked(RetryConditionHeaderValue asked)
    {
        var wait = asked.Delta ?? asked.Date - DateTimeOffset.UtcNow ?? TimeSpan.Zero;
        return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
    }
}
