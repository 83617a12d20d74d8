using System.Text.Json.Serialization;
using Wherry.Linux.Processes;
using Wherry.Oci.Runtime;

namespace Wherry.Engine.UserNamespaces;

/// <summary>The ids of a container with a user namespace; part of its record.</summary>
/// <param name="Users">By ranges.</param>
/// <param name="Groups">Likewise.</param>
/// <param name="IsShared">The user named the range, which other containers may have too.</param>
internal sealed record IdRecord(IReadOnlyList<IdRange> Users, IReadOnlyList<IdRange> Groups, bool IsShared)
{
    [JsonIgnore]
    public IdMap Map => new(Users, Groups);

    public static IReadOnlyList<IdMapping> Mappings(IReadOnlyList<IdRange> ranges) =>
        [.. ranges.Select(range => new IdMapping(range.Inside, range.Outside, range.Count))];
}
