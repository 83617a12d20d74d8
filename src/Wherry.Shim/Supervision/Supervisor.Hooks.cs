using Wherry.Errors;
using Wherry.Linux.Processes;
using Wherry.Linux.Signals;
using Wherry.Runtime.Bundles;
using Wherry.Runtime.Checks;
using Wherry.Runtime.Contracts.Protocol;
using Wherry.Runtime.LifecycleHooks;
using Wherry.Runtime.Network;

namespace Wherry.Shim.Supervision;

/// <summary>A bundle's hooks and network devices. While hooks run nothing else is served: what comes in meanwhile waits for their end.</summary>
public sealed partial class Supervisor
{
    private void RunCreationHooks()
    {
        try
        {
            var bundle = Bundle.Read(Main.Order.Location.BundleDirectory);
            RuntimeHooks.AtCreation(Main.Channel, Main.Order.Location.Id, Main.Pid, bundle.Directory, bundle.Spec);
        }
        catch (WherryException e)
        {
            Fail(FailedAnswer.From(e));
            ProcessSyscalls.Kill(Main.Pid, SignalNumber.Kill);
        }
    }

    private void MoveNetworkDevices()
    {
        if (!Main.Order.HasMakersWork)
        {
            return;
        }

        try
        {
            // The stage looks through the bundle too, but not necessarily before we have moved the host's interfaces.
            var bundle = Bundle.Read(Main.Order.Location.BundleDirectory);
            BundleCheck.Require(bundle);
            NetworkDevices.Move(Main.Pid, bundle.Linux.NetDevices);
        }
        catch (WherryException e)
        {
            Fail(FailedAnswer.From(e));
            ProcessSyscalls.Kill(Main.Pid, SignalNumber.Kill);
        }
    }

    private void RunPoststartHooks()
    {
        if (Main.Order.HasMakersWork && Bundle.Read(Main.Order.Location.BundleDirectory) is { } bundle)
        {
            RuntimeHooks.AfterStart(Main.Order.Location.Id, Main.Pid, bundle.Directory, bundle.Spec, Warn);
        }
    }

    private void RunPoststopHooks()
    {
        if (Main.Order.HasMakersWork && Bundle.Read(Main.Order.Location.BundleDirectory) is { } bundle)
        {
            RuntimeHooks.AfterEnd(Main.Order.Location.Id, bundle.Directory, bundle.Spec, Warn);
        }
    }

    private void Warn(string text) => Main.Warnings = [.. Main.Warnings, text];
}
