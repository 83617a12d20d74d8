using Wherry.Api.Cleaning;
using Wherry.Api.Containers;
using Wherry.Api.Execs;
using Wherry.Api.Host;
using Wherry.Api.Http;
using Wherry.Api.Images;
using Wherry.Api.Networks;
using Wherry.Api.Security;
using Wherry.Api.Unsupported;
using Wherry.Api.Volumes;
using Wherry.Engine;

namespace Wherry.Api;

/// <summary>The API of one engine.</summary>
public static class EngineRoutes
{
    public static RouteTable For(WherryEngine engine)
    {
        var routes = new RouteTable();
        new SystemRoutes(engine).AddTo(routes);
        new ContainerRoutes(engine).AddTo(routes);
        new ContainerStreamRoutes(engine).AddTo(routes);
        new ContainerFileRoutes(engine).AddTo(routes);
        new ExecRoutes(engine).AddTo(routes);
        new SecurityRoutes(engine).AddTo(routes);
        new PruneRoutes(engine).AddTo(routes);
        new DiskUsageRoutes(engine).AddTo(routes);

        // Before those whose names may contain slashes, so that "search" is not taken for an image.
        UnbuiltRoutes.AddTo(routes);
        new RegistryRoutes(engine).AddTo(routes);
        new ArtifactRoutes(engine).AddTo(routes);
        new ImageTransferRoutes(engine).AddTo(routes);
        new ImageRoutes(engine).AddTo(routes);
        new VolumeRoutes(engine).AddTo(routes);
        new NetworkRoutes(engine).AddTo(routes);
        return routes;
    }
}
