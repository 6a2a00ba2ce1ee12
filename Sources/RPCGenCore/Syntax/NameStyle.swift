/// How protoc turns names into other names.
enum NameStyle {
    /// `foo_bar` to `fooBar`, the name of a field in JSON: letters behind underscores become
    /// capitals, all else stays.
    static func json(_ name: String) -> String {
        var result = ""
        var capitalizes = false
        for character in name {
            if character == "_" {
                capitalizes = true
            } else {
                result += capitalizes ? character.uppercased() : String(character)
                capitalizes = false
            }
        }
        return result
    }

    /// `foo_bar` to `FooBarEntry`, the message behind a map field.
    static func mapEntry(_ name: String) -> String {
        let camel = json(name)
        return camel.prefix(1).uppercased() + camel.dropFirst() + "Entry"
    }
}
