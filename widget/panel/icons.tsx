function Icon({ path }: { path: string }) {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

export const CloseIcon = () => <Icon path="M6 6l12 12M18 6 6 18" />;
export const SendIcon = () => <Icon path="M12 19V5M6 11l6-6 6 6" />;
export const ClipIcon = () => (
  <Icon path="m20 11-8.5 8.5a5 5 0 0 1-7-7L13 4a3.4 3.4 0 0 1 4.8 4.8L9.3 17.3a1.7 1.7 0 0 1-2.4-2.4L14.5 7.3" />
);
export const MicIcon = () => (
  <Icon path="M12 4a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V7a3 3 0 0 1 3-3ZM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3" />
);
export const DownIcon = () => <Icon path="M12 5v14M6 13l6 6 6-6" />;
export const ClockIcon = () => <Icon path="M12 7v5l3 2M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0" />;
export const CheckIcon = () => <Icon path="M5 13l4.5 4.5L19 7" />;
export const ChecksIcon = () => <Icon path="M2 13l4.5 4.5L16 7M11.5 17 22 7" />;
export const AlertIcon = () => (
  <Icon path="M12 8v5M12 16.5v.1M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0" />
);
export const ChatIcon = () => (
  <Icon path="M21 11.5a8.4 8.4 0 0 1-8.5 8.4 9 9 0 0 1-3.6-.7L4 20.5l1.4-4A8.2 8.2 0 0 1 4 11.5 8.4 8.4 0 0 1 12.5 3 8.4 8.4 0 0 1 21 11.5Z" />
);
