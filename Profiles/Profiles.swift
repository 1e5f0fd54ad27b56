/// The device profiles that ship with Fettle: the build checks the YAML files beside this one and embeds their texts.
package enum ShippedProfiles {}
