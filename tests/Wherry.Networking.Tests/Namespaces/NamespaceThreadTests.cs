using System.Collections.Concurrent;
using Wherry.Networking.Tests.Support;

namespace Wherry.Networking.Tests.Namespaces;

public sealed class NamespaceThreadTests
{
    /// <summary>The project lets idle threads of the pool end at once, so that whoever hands it something makes it create another.</summary>
    [Fact]
    public async Task Work_in_a_namespace_leaves_no_pool_thread_there()
    {
        PrivateHost.Require();
        using var foreign = await Namespace.CreateAsync();
        var home = CurrentNamespace();
        using var seen = new BlockingCollection<string>();
        for (var i = 0; i < 16; i++)
        {
            var work = foreign.InsideAsync(() =>
            {
                Thread.Sleep(50);
                return true;
            });
            _ = work.ContinueWith(_ => seen.Add(CurrentNamespace()), TaskScheduler.Default);
            Assert.Equal(home, seen.Take());
        }
    }

    private static string CurrentNamespace() => File.ResolveLinkTarget("/proc/thread-self/ns/net", returnFinalTarget: false)!.Name;
}
