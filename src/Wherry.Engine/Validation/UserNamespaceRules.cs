using Wherry.Api.Contracts.Containers;
using Wherry.Engine.UserNamespaces;

namespace Wherry.Engine.Validation;

/// <summary>What can be said of a user namespace mode by itself; what depends on other containers, see <see cref="UserNamespaceChoice"/>.</summary>
internal static class UserNamespaceRules
{
    /// <summary>Where ranges that hosts give away begin; accounts are below (login.defs(5), SUB_UID_MIN and UID_MAX).</summary>
    private const uint FirstSubordinateId = 65_536;

    /// <exception cref="Errors.WherryException">InvalidParameter: unknown, or no range of ids.</exception>
    public static void Check(HostConfig host, List<string> warnings)
    {
        if (host.UsernsMode.Length == 0)
        {
            return;
        }

        var mode = UserNamespaceMode.Parse(host.UsernsMode);
        if (mode.Kind == UserNamespaceKind.Range && (mode.Users.First < FirstSubordinateId || mode.Groups.First < FirstSubordinateId))
        {
            warnings.Add($"The user namespace has ids below {FirstSubordinateId}, which may be those of accounts on the host: the container's processes have their rights over files and processes it can reach.");
        }
    }
}
