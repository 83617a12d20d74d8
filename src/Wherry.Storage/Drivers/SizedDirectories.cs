using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.FileTrees;
using Wherry.Linux.Processes;
using Wherry.Linux.ProjectQuotas;

namespace Wherry.Storage.Drivers;

/// <summary>
/// Directories with a limit on the space of all in them, by a project of their own (<see cref="ProjectQuota"/>). Which
/// project that is stands in the directory itself and nowhere else, so there is nothing to fall out of step with it; and
/// which are free is known by the file system, which counts what each has. So neither other engines on the same file
/// system nor projects of the administrator's are trodden on.
/// </summary>
/// <param name="root">A directory on the file system.</param>
internal sealed class SizedDirectories(string root)
{
    // Out of the way of numbers that people and other engines choose, which are low; side by side, as the quota file keeps
    // those that share their upper bits in the same blocks.
    private const int FirstProject = 0x57480000;
    private const int Projects = 1 << 20;
    private const int Attempts = 1000;

    // From finding a project that has nothing until the directory, which is something, is in it.
    private static readonly Lock Choosing = new();

    /// <summary>Why there can be none here, and what would help; null where there can.</summary>
    internal string? WhyNot
    {
        get
        {
            if (UserNamespace.IsInside)
                return "an engine without root may not set quotas";
            using var directory = FileTree.OpenDirectory(root);
            var fileSystem = $"the {FileSystemNames.Of(root)} file system of {root}";
            return ProjectQuota.StateOf(directory) switch
            {
                ProjectQuotaState.Enforced => null,
                ProjectQuotaState.Unknown => $"{fileSystem} can't be asked for its quotas: this takes Linux 5.14, built with quotas",
                var state => (FileSystemNames.Of(root), state) switch
                {
                    ("extfs", ProjectQuotaState.Counted) => $"{fileSystem} counts the space of projects and does not limit it: mount it with prjquota",
                    ("extfs", _) => $"{fileSystem} has no project quotas: tune2fs -O project,quota DEVICE while it is not mounted, and mount it with prjquota",
                    ("xfs", _) => $"{fileSystem} has no project quotas: mount it with pquota",
                    _ => $"{fileSystem} has no project quotas: ext4 (mounted with prjquota) and xfs (with pquota) have",
                },
            };
        }
    }

    /// <summary>Gives an empty directory a project of its own, with a limit.</summary>
    /// <exception cref="WherryException">There can be none here, or the kernel refused.</exception>
    internal void Limit(string path, long bytes)
    {
        if (WhyNot is { } reason)
            throw WherryException.Unsupported(reason);
        using var directory = FileTree.OpenDirectory(path);
        lock (Choosing)
        {
            var project = FindFree(directory);
            ProjectQuota.SetProject(directory, project);
            ProjectQuota.SetLimit(directory, project, bytes);
        }
    }

    /// <summary>Takes a directory's limit away; one that has none, or is not there, is fine.</summary>
    internal void Unlimit(string path)
    {
        if (!Directory.Exists(path))
            return;
        using var directory = FileTree.OpenDirectory(path);
        if (UserNamespace.IsInside || ProjectQuota.StateOf(directory) is not (ProjectQuotaState.Enforced or ProjectQuotaState.Counted))
            return;
        using var parent = FileTree.OpenDirectory(Path.GetDirectoryName(path)!);
        var project = ProjectQuota.ProjectOf(directory);
        // One that it has in common with what is around it is not its own.
        if (project is >= FirstProject and < FirstProject + Projects && project != ProjectQuota.ProjectOf(parent))
            ProjectQuota.SetLimit(directory, project, 0);
    }

    private static uint FindFree(FileDescriptor fileSystem)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var project = (uint)(FirstProject + Random.Shared.Next(Projects));
            if (ProjectQuota.UsageOf(fileSystem, project) is { Bytes: 0, Inodes: 0 })
                return project;
        }
        throw WherryException.System($"no free project found in {Attempts} attempts: the file system has files of nearly all from {FirstProject} to {FirstProject + Projects - 1}");
    }
}
