using Wherry.Errors;
using Wherry.Images.Records;
using Wherry.Images.References;
using Wherry.Storage.Layers;

namespace Wherry.Images;

/// <summary>Removal by Docker's rules: names first, the image with its last name, then parents that nobody needs.</summary>
public sealed partial class ImageStore
{
    /// <summary>Removes a name, and the image when it was the last; or, by ID, the image with its names.</summary>
    /// <param name="reference">A name or an ID.</param>
    /// <param name="force">Also when stopped containers use the image or it has names in several repositories.</param>
    /// <param name="noPrune">Keep parents without a name.</param>
    /// <param name="users">Tells which containers were made of an image.</param>
    public IReadOnlyList<ImageDeletion> Remove(string reference, bool force, bool noPrune, Func<Image, IReadOnlyList<ImageUser>> users)
    {
        var removal = new Removal(users, [], [], !noPrune);
        lock (_changes)
        {
            var image = Find(reference);
            if (IsIdPrefixOf(reference, image.Id))
                RemoveById(image, force, removal);
            else
                RemoveByName(image, reference, force, removal);
        }
        // The records are gone; the files may take their time.
        foreach (var chain in removal.Chains)
            removal.Done.AddRange(_layers.Release(chain).Select(id => new ImageDeletion(null, id)));
        RemoveUnreferencedBlobs();
        return removal.Done;
    }

    /// <param name="Users">Which containers were made of an image.</param>
    /// <param name="Done">What has been removed, for the answer.</param>
    /// <param name="Chains">Layers that the deleted images held.</param>
    /// <param name="Prune">Whether parents without a name go too.</param>
    private sealed record Removal(Func<Image, IReadOnlyList<ImageUser>> Users, List<ImageDeletion> Done, List<string> Chains, bool Prune);

    private void RemoveByName(StoredImage image, string text, bool force, Removal removal)
    {
        var parsed = ImageReference.Parse(text);
        var reference = parsed.Digest is null ? parsed.WithDefaultTag() : parsed.WithDigest(parsed.Digest);
        if (!force && IsSingleReference(image.References) && removal.Users(image.ToImage()) is [var user, ..])
        {
            throw WherryException.Conflict(
                $"conflict: unable to remove repository reference \"{text}\" (must force) - container {Short(user.ContainerId)} is using its referenced image {Short(image.Id)}{Named(user)}");
        }
        image = Untag(image, [reference], removal);
        if (reference.Digest is null && !image.References.Any(left => left.Digest is null && left.Repository == reference.Repository))
        {
            // Names by digest came with the tag's pull and go with the repository's last tag.
            image = Untag(image, [.. image.References.Where(left => left.Digest is not null && left.Repository == reference.Repository)], removal);
        }
        if (image.References.Count == 0)
            Delete(image, force, removal, quiet: true);
    }

    private void RemoveById(StoredImage image, bool force, Removal removal)
    {
        if (IsSingleReference(image.References))
        {
            if (FindConflict(image, hard: true, stopped: !force, referenced: false, removal) is { } conflict)
                throw WherryException.Conflict(conflict.Message);
            image = Untag(image, image.References, removal);
        }
        Delete(image, force, removal, quiet: false);
    }

    /// <param name="image">What to delete, its remaining names with it.</param>
    /// <param name="force">Ignore what may be ignored.</param>
    /// <param name="removal">The whole request.</param>
    /// <param name="quiet">The image goes as a consequence: one that is still used simply stays.</param>
    private void Delete(StoredImage image, bool force, Removal removal, bool quiet)
    {
        if (FindConflict(image, hard: true, stopped: !force, referenced: !force, removal) is { } conflict)
        {
            if (quiet && (conflict.Used || image.References.Count > 0 || HasChildren(image)))
                return;
            throw WherryException.Conflict(conflict.Message);
        }
        image = Untag(image, image.References, removal);
        DurableFile.Delete(RecordPath(image.Id));
        _catalog = _catalog.Without(image);
        removal.Done.Add(new ImageDeletion(null, image.Id));
        if (image.ChainId is not null)
            removal.Chains.Add(image.ChainId);
        if (removal.Prune && image.Record.Parent is { } parentId && _catalog.Images.TryGetValue(parentId, out var parent) && parent.References.Count == 0)
        {
            if (FindConflict(parent, hard: true, stopped: true, referenced: true, removal) is null)
                Delete(parent, force: false, removal, quiet: true);
        }
    }

    private StoredImage Untag(StoredImage image, IReadOnlyList<ImageReference> references, Removal removal)
    {
        if (references.Count == 0)
            return image;
        var changed = WriteRecord(image, WithoutReferences(image.Record, references.Select(reference => reference.ToString())));
        removal.Done.AddRange(references.Select(reference => new ImageDeletion(reference.Familiar, null)));
        return changed;
    }

    private Conflict? FindConflict(StoredImage image, bool hard, bool stopped, bool referenced, Removal removal)
    {
        if (hard && HasChildren(image))
            return Refuse("cannot be forced", "image has dependent child images", used: false);
        var users = hard || stopped ? removal.Users(image.ToImage()) : [];
        if (hard && users.FirstOrDefault(user => user.Running) is { } running)
            return Refuse("cannot be forced", $"image is being used by running container {Short(running.ContainerId)}{Named(running)}", used: true);
        if (referenced && image.References.Count > 0)
            return Refuse("must be forced", "image is referenced in multiple repositories", used: false);
        if (stopped && users.FirstOrDefault(user => !user.Running) is { } user)
            return Refuse("must be forced", $"image is being used by stopped container {Short(user.ContainerId)}{Named(user)}", used: true);
        return null;

        Conflict Refuse(string how, string why, bool used) => new($"conflict: unable to delete {Short(image.Id)} ({how}) - {why}", used);
    }

    private sealed record Conflict(string Message, bool Used);

    private bool HasChildren(StoredImage image) => _catalog.Images.Values.Any(other => other.Record.Parent == image.Id);

    /// <summary>At most one tag, and digests in that tag's repository only.</summary>
    private static bool IsSingleReference(IReadOnlyList<ImageReference> references) =>
        references.Count <= 1
        || (references.Count(reference => reference.Digest is null) <= 1
            && references.Select(reference => reference.Repository).Distinct(StringComparer.Ordinal).Count() == 1);

    private static bool IsIdPrefixOf(string text, string id) =>
        id.StartsWith(text, StringComparison.Ordinal) || id.AsSpan(7).StartsWith(text);

    private static string Short(string id) => (id.StartsWith("sha256:", StringComparison.Ordinal) ? id[7..] : id)[..12];

    private static string Named(ImageUser user) => user.ContainerName.Length == 0 ? "" : $" (its name is \"{user.ContainerName.TrimStart('/')}\")";
}
