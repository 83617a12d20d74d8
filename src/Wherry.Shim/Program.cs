using Wherry.Runtime.Stages;
using Wherry.Shim.Oci;
using Wherry.Shim.Supervision;

// One binary, three parts: the stage inside a container's namespaces, the OCI runtime command line, the supervisor.
if (args is [StageArguments.Flag, ..])
{
    return ContainerStage.Run(args.AsSpan(1));
}

return Path.GetFileName(Environment.GetCommandLineArgs()[0]) == OciCommandLine.ProgramName
    ? OciCommandLine.Run(args)
    : Supervisor.Run(args);
