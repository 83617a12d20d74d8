using Wherry.Engine.Validation;
using Wherry.Errors;

namespace Wherry.Engine.Volumes;

/// <summary>What volumes may be called.</summary>
internal static class VolumeNames
{
    /// <exception cref="WherryException">InvalidParameter: in Docker's words, with its hint at relative bind paths.</exception>
    public static void Validate(string name)
    {
        if (name.Length == 1)
        {
            throw WherryException.Invalid("volume name is too short, names should be at least two alphanumeric characters");
        }

        if (!ContainerNames.IsRestricted(name))
        {
            throw WherryException.Invalid(
                $"create {name}: \"{name}\" includes invalid characters for a local volume name, only \"{ContainerNames.Allowed}\" are allowed. "
                + "If you intended to pass a host directory, use absolute path");
        }

        // The longest name a directory may have.
        if (name.Length > 255)
        {
            throw WherryException.Invalid($"create {name}: volume name is too long, names can have at most 255 characters");
        }
    }
}
