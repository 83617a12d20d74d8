namespace Wherry.Errors;

/// <summary>What went wrong, in the terms a client acts on. The API maps each to one HTTP status.</summary>
public enum ErrorKind
{
    /// <summary>The request itself is wrong (400).</summary>
    InvalidParameter,

    /// <summary>The caller may not do this (403).</summary>
    Forbidden,

    /// <summary>The named object does not exist (404).</summary>
    NotFound,

    /// <summary>The object is in a state that forbids the request, or the name is taken (409).</summary>
    Conflict,

    /// <summary>The object is already as asked (304).</summary>
    NotModified,

    /// <summary>The body is larger than the engine accepts (413).</summary>
    TooLarge,

    /// <summary>The engine or the host does not offer what was asked (501).</summary>
    Unsupported,

    /// <summary>The engine can't serve now; trying again may help (503).</summary>
    Unavailable,

    /// <summary>The host failed underneath the engine (500).</summary>
    System,

    /// <summary>The caller has not proved who it is (401). Last, as kinds go over the wire to supervisors by number.</summary>
    Unauthorized,
}
