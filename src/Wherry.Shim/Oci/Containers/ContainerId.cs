using Wherry.Errors;

namespace Wherry.Shim.Oci.Containers;

/// <summary>What may be a container's id: a file's name, of few characters.</summary>
public static class ContainerId
{
    private const int Longest = 255;

    /// <exception cref="WherryException">It may not.</exception>
    public static string Require(string id)
    {
        if (id.Length == 0)
        {
            throw WherryException.Invalid("container id cannot be empty");
        }

        if (id.Length > Longest || id is "." or ".." || !id.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '+' or '-' or '.'))
        {
            throw WherryException.Invalid("invalid container ID format");
        }

        return id;
    }
}
