using System.Buffers;
using System.Text.Json;
using Wherry.Api.Contracts.Containers;
using Wherry.Api.Contracts.Execs;
using Wherry.Api.Contracts.Json;
using Wherry.Api.Contracts.Networks;
using Wherry.Api.Contracts.Volumes;

namespace Wherry.Cli.Engine;

/// <summary>
/// The bodies of requests, written member by member. Serialization by metadata would make every command pay, at its
/// start, for the description of all types of the API; these four requests are all we ever send. Members that say
/// nothing (null, empty, zero, false) are left out: the engine reads their absence the same way.
/// </summary>
internal static class RequestJson
{
    private delegate void Body<in T>(RequestWriter writer, T value);

    internal static byte[] Of(ContainerCreateRequest request) => Compose(request, WriteCreate);

    internal static byte[] Of(ExecCreateRequest request) => Compose(request, static (w, r) => w
        .Text("User", r.User).Flag("Privileged", r.Privileged).Flag("Tty", r.Tty).Numbers("ConsoleSize", r.ConsoleSize)
        .Flag("AttachStdin", r.AttachStdin).Flag("AttachStdout", r.AttachStdout).Flag("AttachStderr", r.AttachStderr)
        .Text("DetachKeys", r.DetachKeys).Texts("Env", r.Env).Text("WorkingDir", r.WorkingDir).Texts("Cmd", r.Cmd));

    internal static byte[] Of(ExecStartRequest request) => Compose(request, static (w, r) => w
        .Flag("Detach", r.Detach).Flag("Tty", r.Tty).Numbers("ConsoleSize", r.ConsoleSize));

    internal static byte[] Of(VolumeCreateRequest request) => Compose(request, static (w, r) => w
        .Text("Name", r.Name).Text("Driver", r.Driver).Map("DriverOpts", r.DriverOpts).Map("Labels", r.Labels));

    private static byte[] Compose<T>(T value, Body<T> body)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            body(new RequestWriter(json), value);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteCreate(RequestWriter w, ContainerCreateRequest r)
    {
        w.Text("Hostname", r.Hostname).Text("Domainname", r.Domainname).Text("User", r.User)
            .Flag("AttachStdin", r.AttachStdin).Flag("AttachStdout", r.AttachStdout).Flag("AttachStderr", r.AttachStderr)
            .Keys("ExposedPorts", r.ExposedPorts).Flag("Tty", r.Tty).Flag("OpenStdin", r.OpenStdin).Flag("StdinOnce", r.StdinOnce)
            .Texts("Env", r.Env).Texts("Cmd", r.Cmd)
            .Object("Healthcheck", r.Healthcheck, static (w, h) => w
                .Texts("Test", h.Test).Number("Interval", h.Interval).Number("Timeout", h.Timeout)
                .Number("StartPeriod", h.StartPeriod).Number("StartInterval", h.StartInterval).Number("Retries", h.Retries))
            .Text("Image", r.Image).Keys("Volumes", r.Volumes).Text("WorkingDir", r.WorkingDir).Texts("Entrypoint", r.Entrypoint)
            .Map("Labels", r.Labels).Text("StopSignal", r.StopSignal).Exactly("StopTimeout", r.StopTimeout)
            .Object("HostConfig", r.HostConfig, WriteHost)
            .Object("NetworkingConfig", r.NetworkingConfig, static (w, n) => w
                .Objects("EndpointsConfig", n.EndpointsConfig, WriteEndpoint));
    }

    private static void WriteHost(RequestWriter w, HostConfig h)
    {
        w.Texts("Binds", h.Binds).Text("ContainerIDFile", h.ContainerIDFile)
            .Object("LogConfig", h.LogConfig, static (w, l) => w.Text("Type", l.Type).Map("Config", l.Config))
            .Text("NetworkMode", h.NetworkMode)
            .Lists("PortBindings", h.PortBindings, static (w, p) => w.Always("HostIp", p.HostIp).Always("HostPort", p.HostPort))
            .Object("RestartPolicy", h.RestartPolicy, static (w, p) => w.Text("Name", p.Name).Number("MaximumRetryCount", p.MaximumRetryCount))
            .Flag("AutoRemove", h.AutoRemove).Text("VolumeDriver", h.VolumeDriver).Texts("VolumesFrom", h.VolumesFrom)
            .Numbers("ConsoleSize", h.ConsoleSize).Map("Annotations", h.Annotations).Texts("CapAdd", h.CapAdd).Texts("CapDrop", h.CapDrop)
            .Text("CgroupnsMode", h.CgroupnsMode).Texts("Dns", h.Dns).Texts("DnsOptions", h.DnsOptions).Texts("DnsSearch", h.DnsSearch)
            .Texts("ExtraHosts", h.ExtraHosts).Texts("GroupAdd", h.GroupAdd).Text("IpcMode", h.IpcMode).Texts("Links", h.Links)
            .Number("OomScoreAdj", h.OomScoreAdj).Text("PidMode", h.PidMode).Flag("Privileged", h.Privileged)
            .Flag("PublishAllPorts", h.PublishAllPorts).Flag("ReadonlyRootfs", h.ReadonlyRootfs).Texts("SecurityOpt", h.SecurityOpt)
            .Map("StorageOpt", h.StorageOpt).Map("Tmpfs", h.Tmpfs).Text("UTSMode", h.UTSMode).Text("UsernsMode", h.UsernsMode)
            .Number("ShmSize", h.ShmSize).Map("Sysctls", h.Sysctls).Text("Runtime", h.Runtime).Text("Isolation", h.Isolation)
            .Objects("Mounts", h.Mounts, WriteMount)
            .Texts("MaskedPaths", h.MaskedPaths, evenEmpty: true).Texts("ReadonlyPaths", h.ReadonlyPaths, evenEmpty: true)
            .Exactly("Init", h.Init);
        WriteResources(w, h);
    }

    private static void WriteResources(RequestWriter w, Resources r)
    {
        w.Number("CpuShares", r.CpuShares).Number("Memory", r.Memory).Number("NanoCpus", r.NanoCpus).Text("CgroupParent", r.CgroupParent)
            .Number("BlkioWeight", r.BlkioWeight)
            .Objects("BlkioWeightDevice", r.BlkioWeightDevice, static (w, d) => w.Text("Path", d.Path).Number("Weight", d.Weight))
            .Objects("BlkioDeviceReadBps", r.BlkioDeviceReadBps, WriteRate).Objects("BlkioDeviceWriteBps", r.BlkioDeviceWriteBps, WriteRate)
            .Objects("BlkioDeviceReadIOps", r.BlkioDeviceReadIOps, WriteRate).Objects("BlkioDeviceWriteIOps", r.BlkioDeviceWriteIOps, WriteRate)
            .Number("CpuPeriod", r.CpuPeriod).Number("CpuQuota", r.CpuQuota)
            .Number("CpuRealtimePeriod", r.CpuRealtimePeriod).Number("CpuRealtimeRuntime", r.CpuRealtimeRuntime)
            .Text("CpusetCpus", r.CpusetCpus).Text("CpusetMems", r.CpusetMems)
            .Objects("Devices", r.Devices, static (w, d) => w
                .Text("PathOnHost", d.PathOnHost).Text("PathInContainer", d.PathInContainer).Text("CgroupPermissions", d.CgroupPermissions))
            .Texts("DeviceCgroupRules", r.DeviceCgroupRules)
            .Objects("DeviceRequests", r.DeviceRequests, static (w, d) => w
                .Text("Driver", d.Driver).Number("Count", d.Count).Texts("DeviceIDs", d.DeviceIDs)
                .TextLists("Capabilities", d.Capabilities).Map("Options", d.Options))
            .Number("MemoryReservation", r.MemoryReservation).Number("MemorySwap", r.MemorySwap)
            .Exactly("MemorySwappiness", r.MemorySwappiness).Flag("OomKillDisable", r.OomKillDisable is true).Number("PidsLimit", r.PidsLimit ?? 0)
            .Objects("Ulimits", r.Ulimits, static (w, u) => w.Always("Name", u.Name).Exactly("Hard", u.Hard).Exactly("Soft", u.Soft));
    }

    private static void WriteRate(RequestWriter w, ThrottleDevice device) => w.Text("Path", device.Path).Number("Rate", device.Rate);

    private static void WriteMount(RequestWriter w, Mount m) => w
        .Text("Type", m.Type).Text("Source", m.Source).Text("Target", m.Target).Flag("ReadOnly", m.ReadOnly).Text("Consistency", m.Consistency)
        .Object("BindOptions", m.BindOptions, static (w, b) => w
            .Text("Propagation", b.Propagation).Flag("NonRecursive", b.NonRecursive).Flag("CreateMountpoint", b.CreateMountpoint)
            .Flag("ReadOnlyNonRecursive", b.ReadOnlyNonRecursive).Flag("ReadOnlyForceRecursive", b.ReadOnlyForceRecursive))
        .Object("VolumeOptions", m.VolumeOptions, static (w, v) => w
            .Flag("NoCopy", v.NoCopy).Map("Labels", v.Labels).Text("Subpath", v.Subpath)
            .Object("DriverConfig", v.DriverConfig, static (w, d) => w.Text("Name", d.Name).Map("Options", d.Options)))
        .Object("ImageOptions", m.ImageOptions, static (w, i) => w.Text("Subpath", i.Subpath))
        .Object("TmpfsOptions", m.TmpfsOptions, static (w, t) => w.Number("SizeBytes", t.SizeBytes).Number("Mode", t.Mode));

    private static void WriteEndpoint(RequestWriter w, EndpointSettings e) => w
        .Object("IPAMConfig", e.IPAMConfig, static (w, a) => w
            .Text("IPv4Address", a.IPv4Address).Text("IPv6Address", a.IPv6Address).Texts("LinkLocalIPs", a.LinkLocalIPs))
        .Texts("Links", e.Links).Texts("Aliases", e.Aliases).Text("MacAddress", e.MacAddress)
        .Map("DriverOpts", e.DriverOpts).Number("GwPriority", e.GwPriority);

    /// <summary>Writes the members of an object that say something.</summary>
    private readonly struct RequestWriter(Utf8JsonWriter json)
    {
        internal RequestWriter Text(string name, string? value) => string.IsNullOrEmpty(value) ? this : Always(name, value);

        internal RequestWriter Always(string name, string value)
        {
            json.WriteString(name, value);
            return this;
        }

        internal RequestWriter Flag(string name, bool value) => value ? Exactly(name, value) : this;

        internal RequestWriter Number(string name, long value) => value != 0 ? Exactly(name, value) : this;

        /// <summary>Writes a value that means something even where it is zero; null is left out.</summary>
        internal RequestWriter Exactly(string name, long? value)
        {
            if (value is { } number)
            {
                json.WriteNumber(name, number);
            }

            return this;
        }

        /// <summary>Writes a value that means something even where it is false; null is left out.</summary>
        internal RequestWriter Exactly(string name, bool? value)
        {
            if (value is { } truth)
            {
                json.WriteBoolean(name, truth);
            }

            return this;
        }

        internal RequestWriter Texts(string name, IReadOnlyList<string>? values, bool evenEmpty = false)
        {
            if (values is not null && (evenEmpty || values.Count > 0))
            {
                json.WritePropertyName(name);
                Texts(values);
            }

            return this;
        }

        internal RequestWriter TextLists(string name, IReadOnlyList<IReadOnlyList<string>>? lists)
        {
            if (lists is { Count: > 0 })
            {
                json.WriteStartArray(name);
                foreach (var list in lists)
                {
                    Texts(list);
                }

                json.WriteEndArray();
            }

            return this;
        }

        internal RequestWriter Numbers(string name, IReadOnlyList<int>? values)
        {
            if (values is { Count: > 0 })
            {
                json.WriteStartArray(name);
                foreach (var value in values)
                {
                    json.WriteNumberValue(value);
                }

                json.WriteEndArray();
            }

            return this;
        }

        internal RequestWriter Map(string name, Dictionary<string, string>? map)
        {
            if (map is { Count: > 0 })
            {
                json.WriteStartObject(name);
                foreach (var (key, value) in map)
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }

            return this;
        }

        /// <summary>A set, as the API has it: an object whose members are empty objects.</summary>
        internal RequestWriter Keys(string name, Dictionary<string, EmptyObject>? set)
        {
            if (set is { Count: > 0 })
            {
                json.WriteStartObject(name);
                foreach (var key in set.Keys)
                {
                    json.WriteStartObject(key);
                    json.WriteEndObject();
                }

                json.WriteEndObject();
            }

            return this;
        }

        internal RequestWriter Object<T>(string name, T? value, Body<T> body)
            where T : class
        {
            if (value is not null)
            {
                json.WritePropertyName(name);
                Object(value, body);
            }

            return this;
        }

        internal RequestWriter Objects<T>(string name, IReadOnlyList<T>? values, Body<T> body)
        {
            if (values is { Count: > 0 })
            {
                json.WritePropertyName(name);
                Objects(values, body);
            }

            return this;
        }

        internal RequestWriter Objects<T>(string name, Dictionary<string, T>? values, Body<T> body)
        {
            if (values is { Count: > 0 })
            {
                json.WriteStartObject(name);
                foreach (var (key, value) in values)
                {
                    json.WritePropertyName(key);
                    Object(value, body);
                }

                json.WriteEndObject();
            }

            return this;
        }

        internal RequestWriter Lists<T>(string name, Dictionary<string, IReadOnlyList<T>?>? lists, Body<T> body)
        {
            if (lists is { Count: > 0 })
            {
                json.WriteStartObject(name);
                foreach (var (key, values) in lists)
                {
                    json.WritePropertyName(key);
                    Objects(values ?? [], body);
                }

                json.WriteEndObject();
            }

            return this;
        }

        private void Texts(IReadOnlyList<string> values)
        {
            json.WriteStartArray();
            foreach (var value in values)
            {
                json.WriteStringValue(value);
            }

            json.WriteEndArray();
        }

        private void Object<T>(T value, Body<T> body)
        {
            json.WriteStartObject();
            body(this, value);
            json.WriteEndObject();
        }

        private void Objects<T>(IReadOnlyList<T> values, Body<T> body)
        {
            json.WriteStartArray();
            foreach (var value in values)
            {
                Object(value, body);
            }

            json.WriteEndArray();
        }
    }
}
