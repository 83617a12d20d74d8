using Wherry.Errors;

namespace Wherry.Engine.Containers;

/// <summary>All containers by id and name. Names are unique from the moment they are reserved.</summary>
internal sealed class ContainerRegistry
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Container> _byId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _idByName = new(StringComparer.Ordinal);

    public IReadOnlyList<Container> Snapshot()
    {
        lock (_lock)
        {
            return [.. _byId.Values];
        }
    }

    /// <summary>Takes a name for a container that is being made or renamed.</summary>
    /// <exception cref="WherryException">Conflict: another container has it.</exception>
    public void ReserveName(string name, string id)
    {
        lock (_lock)
        {
            if (_idByName.TryGetValue(name, out var holder))
            {
                throw WherryException.Conflict(
                    $"Conflict. The container name \"/{name}\" is already in use by container \"{holder}\". "
                    + "You have to remove (or rename) that container to be able to reuse that name.");
            }

            _idByName.Add(name, id);
        }
    }

    public bool IsNameTaken(string name)
    {
        lock (_lock)
        {
            return _idByName.ContainsKey(name);
        }
    }

    public void ReleaseName(string name)
    {
        lock (_lock)
        {
            _idByName.Remove(name);
        }
    }

    /// <summary>Makes a container visible; its name has been reserved.</summary>
    public void Add(Container container)
    {
        lock (_lock)
        {
            _byId.Add(container.Id, container);
        }
    }

    public void Remove(Container container)
    {
        lock (_lock)
        {
            _byId.Remove(container.Id);
            _idByName.Remove(container.Record.Name);
        }
    }

    /// <summary>Finds by full id, name, or a prefix that only one id has, in this order, as Docker does.</summary>
    /// <exception cref="WherryException">NotFound, or Invalid for an ambiguous prefix.</exception>
    public Container Get(string idOrName)
    {
        return Find(idOrName) ?? throw WherryException.NotFound($"No such container: {idOrName}");
    }

    public Container? Find(string idOrName)
    {
        var name = idOrName.TrimStart('/');
        lock (_lock)
        {
            if (name.Length == 0)
            {
                return null;
            }

            if (_byId.TryGetValue(name, out var exact))
            {
                return exact;
            }

            if (_idByName.TryGetValue(name, out var id) && _byId.TryGetValue(id, out var named))
            {
                return named;
            }

            return FindByPrefix(name);
        }
    }

    private Container? FindByPrefix(string prefix)
    {
        Container? found = null;
        foreach (var (id, container) in _byId)
        {
            if (!id.StartsWith(prefix, StringComparison.Ordinal))
            {
                continue;
            }

            if (found is not null)
            {
                throw WherryException.Invalid($"Multiple IDs found with provided prefix: {prefix}");
            }

            found = container;
        }

        return found;
    }
}
