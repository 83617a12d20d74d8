using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Wherry.Engine.Hosts;

namespace Wherry.Api.Http;

/// <summary>The headers every answer carries; clients negotiate the version and learn the platform from them.</summary>
public static class StandardHeaders
{
    public static string Server { get; } = $"Wherry/{SystemService.EngineVersion} (linux)";

    private static readonly string Version = ApiVersion.Current.ToString();

    public static void Set(IHeaderDictionary headers)
    {
        headers["Api-Version"] = Version;
        headers["Docker-Experimental"] = "false";
        headers["Ostype"] = "linux";
        headers.Server = Server;
    }

    /// <summary>The same as text, for the head of a hijacked connection, which is written by hand.</summary>
    public static void Append(StringBuilder head) => head.Append(
        CultureInfo.InvariantCulture,
        $"Api-Version: {Version}\r\nDocker-Experimental: false\r\nOstype: linux\r\nServer: {Server}\r\n");
}
