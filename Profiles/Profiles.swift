/// The device profiles that ship with Fettle, embedded at build time.
package enum ShippedProfiles {
}
