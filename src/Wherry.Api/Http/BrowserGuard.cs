using System.Net;
using Microsoft.AspNetCore.Http;
using Wherry.Errors;

namespace Wherry.Api.Http;

/// <summary>
/// Keeps web pages off the loopback port. A page in any browser of this host may send requests to 127.0.0.1, or
/// to a name of its own that it lets resolve to it; whoever speaks this API is root, so both are refused.
/// </summary>
internal static class BrowserGuard
{
    public static void Check(HttpContext context)
    {
        if (context.Connection.RemoteIpAddress is null)
        {
            return; // a unix socket, which no browser reaches
        }

        if (context.Request.Headers.Origin.Count > 0)
        {
            throw new WherryException(ErrorKind.Forbidden, "requests from web pages are refused");
        }

        var host = context.Request.Host.Host;
        var isLoopback = host.Length == 0 || host == "localhost" || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
        if (!isLoopback)
        {
            throw new WherryException(ErrorKind.Forbidden, $"the Host header names {host}: use 127.0.0.1 or localhost");
        }
    }
}
