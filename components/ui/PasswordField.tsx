import { useState } from "preact/hooks";
import { Eye, EyeOff } from "lucide-preact";
import { Field, type FieldProps } from "./Field.tsx";
import { IconButton } from "./Button.tsx";

export function PasswordField(props: Omit<FieldProps, "type" | "trailing">) {
  const [shown, setShown] = useState(false);
  return (
    <Field
      {...props}
      type={shown ? "text" : "password"}
      autocapitalize="none"
      spellcheck={false}
      trailing={
        <IconButton
          label={shown ? "Hide password" : "Show password"}
          aria-controls={props.id}
          tipAt="start"
          onClick={() => setShown(!shown)}
        >
          {shown ? <EyeOff size={16} /> : <Eye size={16} />}
        </IconButton>
      }
    />
  );
}
