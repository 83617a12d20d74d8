"""What crun's tests of mounts use of libmount's Python binding, which Debian does not package."""


class _Mount:
    def __init__(self, fields):
        after = fields.index("-")
        self.target = fields[4]
        self.vfs_options = fields[5]
        self.fs_options = fields[after + 3]


class Table:
    """The mounts in a file like /proc/self/mountinfo (proc_pid_mountinfo(5))."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as lines:
            self._mounts = [_Mount(line.split()) for line in lines if " - " in line]

    def find_target(self, target):
        """The topmost mount on a target."""
        return next(mount for mount in reversed(self._mounts) if mount.target == target)
