use std::path::Path;

use super::*;

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("etc/namegate.toml")).map_err(|error| error.to_string())
}

#[test]
fn try_out() {
    for text in [
        "[list]\nfile=\"a\"",
        "\n[[list]]\nfil=\"a\"",
        "\n\n[[list]]\nallow=true\n",
        "\n\n[[list]]\nfile=3\n",
        "\u{feff}a=1\n",
        "\u{feff}\n\n\n\n[[rules]]\n",
        "\n[[group",
        "\n[[group]]\nname=\"\u{1b}[31\"",
        "\n[[group]]\nname=\"a\"\nclients=\"x\"",
        "\n[[group]]\nname=\"\\u001b\"",
        "\n[[rules]]\n\"a\\u001b\\n\"=1\n",
        "\ngroup=1",
        "a={a={a={}}}\n\n",
        "\n\nlist=[{}]",
        "\n\n[[list]]\nfile=\"a\nb\"",
        "[[group]]\nname=\"a\"\nname=\"b\"",
        "[[group]]\nname=\"a\" \nclients=[\"a\",\n\n1]",
        "[[group]]\nname=\"a\nclients=[\"a\",\n\n1]",
        "[[group]]\nname='a'\nclients=['10.0.0.1/8']",
        "[[list]]\nfile='a'\nallow=\"yes\"",
        "[[group]]\nname='a'\nexempt=1979-05-27",
    ] {
        println!("{:?}", parse(text));
    }
    println!("{:?}", parse(include_str!("example.toml")));
}
