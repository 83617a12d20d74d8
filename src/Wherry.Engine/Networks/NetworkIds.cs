using System.Security.Cryptography;
using System.Text;

namespace Wherry.Engine.Networks;

/// <summary>Ids of the three networks every engine has: derived from their names, so that they need no record.</summary>
public static class NetworkIds
{
    public static IReadOnlyList<string> Names { get; } = ["bridge", "host", "none"];

    public static string Of(string name) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes("wherry network " + name)));
}
