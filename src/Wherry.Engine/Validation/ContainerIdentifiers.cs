using System.Security.Cryptography;

namespace Wherry.Engine.Validation;

/// <summary>Ids of containers, execs and endpoints: 256 random bits as 64 lower-case hexadecimal digits.</summary>
public static class ContainerIdentifiers
{
    /// <summary>How many digits tables and host names show.</summary>
    public const int ShortLength = 12;

    /// <summary>
    /// A new id. Never all digits in its short form: host names and image references made of digits alone are
    /// taken for numbers by other programs.
    /// </summary>
    public static string Create()
    {
        while (true)
        {
            var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
            if (id.AsSpan(0, ShortLength).ContainsAnyInRange('a', 'f'))
            {
                return id;
            }
        }
    }

    public static string Shorten(string id) => id.Length > ShortLength ? id[..ShortLength] : id;
}
