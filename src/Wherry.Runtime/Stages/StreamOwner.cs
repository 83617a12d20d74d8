using Wherry.Linux;
using Wherry.Linux.Files;
using FileMode = Wherry.Linux.Files.FileMode;

namespace Wherry.Runtime.Stages;

/// <summary>Makes a program's pipes and terminals the property of its user, who could otherwise not open /dev/stdout.</summary>
public static class StreamOwner
{
    private const uint NullMajor = 1;
    private const uint KeepGroup = uint.MaxValue;

    /// <summary>Those at descriptors 0 to 2 of this process.</summary>
    public static void TryGive(uint uid)
    {
        for (var fd = 0; fd < 3; fd++)
        {
            var stream = new FileDescriptor(fd);
            try
            {
                TryGive(stream, uid);
            }
            finally
            {
                stream.Release();
            }
        }
    }

    /// <summary>One that is not this process's to give stays as it is: the program can use it, though not open it anew.</summary>
    /// <param name="stream">Left as it is, too, unless it is a pipe or a terminal.</param>
    /// <param name="uid">Its new owner.</param>
    /// <param name="gid">And group; the default keeps the one it has.</param>
    public static void TryGive(FileDescriptor stream, uint uid, uint gid = KeepGroup)
    {
        var status = FileStatus.Of(stream);

        // /dev/null is the host's; anything but pipes and terminals is not ours to give.
        var ours = status.Type == FileMode.Fifo || (status.Type == FileMode.CharacterDevice && status.DeviceMajor != NullMajor);
        if (!ours || status.Uid == uid)
        {
            return;
        }

        try
        {
            FileSyscalls.SetOwner(stream, uid, gid);
        }
        catch (LinuxException e) when (e.ErrorNumber is Errno.EPERM or Errno.EROFS)
        {
            // Another user's, whom nobody here has rights over.
        }
    }
}
