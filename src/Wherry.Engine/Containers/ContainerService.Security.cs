using Wherry.Api.Contracts.Security;
using Wherry.Engine.Security;

namespace Wherry.Engine.Containers;

public sealed partial class ContainerService
{
    /// <summary>What protects a container, and what an attacker in it would try first.</summary>
    public ContainerSecurity SecurityOf(string idOrName) => SecurityReport.Of(_parts, _parts.Registry.Get(idOrName));
}
