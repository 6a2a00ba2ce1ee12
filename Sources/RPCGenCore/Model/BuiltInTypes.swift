/// The options messages of descriptor.proto, for files that use built-in options without importing
/// them.
enum BuiltInTypes {
    static let table: SymbolTable = {
        let name = "google/protobuf/descriptor.proto"
        let text = BundledFiles.text(name) ?? ""
        let (file, _) = Parser.parse(Array(text.utf8), path: name)
        return Resolver.declaring(file)
    }()
}
