using Wherry.Images.Distribution.Http;
using Wherry.Images.References;

namespace Wherry.Images.Distribution;

/// <summary>Opens repositories at the places the configuration names, and goes on to the next place where one fails.</summary>
internal sealed class Repositories(Transport transport, EndpointResolver resolver)
{
    /// <summary>The places of a repository in order, one session each.</summary>
    internal IReadOnlyList<RepositoryClient> Open(ImageReference name, bool forWriting, RegistryCredentials? credentials) =>
        Open(name.Domain, name.Path, forWriting, credentials);

    internal IReadOnlyList<RepositoryClient> Open(string domain, string path, bool forWriting, RegistryCredentials? credentials) =>
        [.. transport.InOrder(resolver.Resolve(domain, path, forWriting)).Select(endpoint => new RepositoryClient(new RegistrySession(transport, endpoint, credentials)))];

    /// <summary>Does something at the first place that can; the last one's failure is the whole's.</summary>
    internal static async Task<T> FirstAsync<T>(IReadOnlyList<RepositoryClient> places, Func<RepositoryClient, Task<T>> action)
    {
        for (var i = 0; ; i++)
        {
            try
            {
                return await action(places[i]);
            }
            catch (RegistryException failure) when (i < places.Count - 1 && CanGoOn(places[i], failure))
            {
            }
        }
    }

    /// <summary>A mirror's failure is nobody's concern; of an insecure registry, only its silence leads on to its other scheme.</summary>
    internal static bool CanGoOn(RepositoryClient place, RegistryException failure) =>
        place.Endpoint.IsMirror ? failure.IsWorthAnotherEndpoint : failure.IsUnreachable;
}
